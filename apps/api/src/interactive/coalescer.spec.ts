import type { RequestTask, TextResult } from '#contracts';
import type { LaneTask } from '#queue';
import { Coalescer, type CoalescerOptions, type TaskExchange, type Want, WaitTimeout } from './coalescer.js';

const SPEC = { fingerprint: 'f'.repeat(32), prompt: '', truncate: 'end' as const };

/** Workers played by the test: tasks lie here until it answers them. */
class Workers implements TaskExchange {
  readonly tasks: LaneTask[] = [];
  readonly dropped: { texts: string[] }[] = [];
  refuse: Error | null = null;
  readonly #replies = new Map<string, (results: TextResult[] | 'timeout') => void>();

  enqueue(tasks: readonly LaneTask[]): Promise<void> {
    if (this.refuse) return Promise.reject(this.refuse);
    this.tasks.push(...tasks);
    return Promise.resolve();
  }
  reply(taskId: string, signal: AbortSignal): Promise<TextResult[] | 'timeout'> {
    return new Promise((resolve) => {
      this.#replies.set(taskId, resolve);
      signal.addEventListener('abort', () => resolve('timeout'));
    });
  }
  drop({ task }: LaneTask, indexes: readonly number[]): void {
    this.dropped.push({ texts: indexes.map((index) => task.texts[index]!) });
  }
  /** One float a text: its length. */
  answer({ id, task }: LaneTask, results = task.texts.map((text) => embedded(text.length))): void {
    this.#replies.get(id)!(results);
  }
  timeOut({ id }: LaneTask): void {
    this.#replies.get(id)!('timeout');
  }
  texts(): string[][] {
    return this.tasks.map(({ task }) => task.texts);
  }
}

function embedded(value: number): TextResult {
  return { ok: true, vector: Float32Array.of(value), tokens: 1, truncated: false };
}

function setUp(options: Partial<CoalescerOptions> = {}) {
  const workers = new Workers();
  const coalescer = new Coalescer(workers, {
    apiId: 'api',
    windowMs: 5,
    waitTimeoutMs: 1000,
    taskLimits: { maxTexts: 4, maxBytes: 1000 },
    ...options,
  });
  const ask = (texts: string[], more: Partial<Want> = {}) => {
    const asked = coalescer.compute({
      model: 'm',
      spec: SPEC,
      lane: 'interactive',
      requestId: `for ${texts.join(' ')}`,
      texts,
      signal: new AbortController().signal,
      ...more,
    });
    asked.catch(() => {});
    return asked;
  };
  return { workers, coalescer, ask };
}

/** Until a condition holds that the coalescer's own short timers bring about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const values = (results: TextResult[]) => results.map((result) => (result.ok ? result.vector[0] : result.error.code));

it('sends a request that comes alone at once', async () => {
  const { workers, ask } = setUp({ windowMs: 60_000 });
  const answer = ask(['a', 'bb']);
  expect(workers.texts()).toEqual([['a', 'bb']]);
  workers.answer(workers.tasks[0]!);
  expect(values(await answer)).toEqual([1, 2]);
});

it('lets concurrent requests of one kind share a task, and gives each its own, equal texts computed once', async () => {
  const { workers, coalescer, ask } = setUp();
  const first = ask(['first']);
  const second = ask(['aa', 'b']);
  const third = ask(['b', 'cccc']);
  const other = ask(['b'], { spec: { ...SPEC, prompt: 'query: ' } });
  await until(() => workers.tasks.length === 3);
  expect(workers.texts()).toEqual([['first'], ['aa', 'b', 'cccc'], ['b']]);
  for (const task of workers.tasks) workers.answer(task);
  expect(values(await first)).toEqual([5]);
  expect(values(await second)).toEqual([2, 1]);
  expect(values(await third)).toEqual([1, 4]);
  expect(values(await other)).toEqual([1]);
  expect(coalescer.shared).toBe(2);
});

it('does not wait once a task is full, and cuts a large request into several', async () => {
  const { workers, ask } = setUp({ windowMs: 60_000 });
  const first = ask(['first']);
  const large = ask(Array.from({ length: 9 }, (_, n) => 'x'.repeat(n + 1)));
  expect(workers.texts().map((texts) => texts.length)).toEqual([1, 4, 4, 1]);
  for (const task of [...workers.tasks].reverse()) workers.answer(task);
  expect(values(await large)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await first;
});

it('drops the texts of a client that has gone, and no others', async () => {
  const { workers, ask } = setUp();
  const first = ask(['first']);
  const gone = new AbortController();
  const leaving = ask(['mine', 'shared'], { signal: gone.signal });
  const staying = ask(['shared', 'theirs']);
  await until(() => workers.tasks.length === 2);
  gone.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  expect(workers.dropped).toEqual([{ texts: ['mine'] }]);
  workers.answer(workers.tasks[1]!);
  expect(values(await staying)).toEqual([6, 6]);
  workers.answer(workers.tasks[0]!);
  await first;
});

it('never enqueues the texts of a client that left before its window closed', async () => {
  const { workers, ask } = setUp();
  const first = ask(['first']);
  const gone = new AbortController();
  const leaving = ask(['mine'], { signal: gone.signal });
  gone.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  workers.answer(workers.tasks[0]!);
  await first;
  expect(workers.texts()).toEqual([['first']]);
});

it('hands on failures: of one text, of the queue, of time', async () => {
  const { workers, ask } = setUp();
  const failed: TextResult = { ok: false, error: { code: 'inference_failed', message: 'no' } };
  const mixed = ask(['good', 'bad']);
  workers.answer(workers.tasks[0]!, [embedded(7), failed]);
  expect(values(await mixed)).toEqual([7, 'inference_failed']);

  const slow = ask(['slow']);
  workers.timeOut(workers.tasks[1]!);
  await expect(slow).rejects.toBeInstanceOf(WaitTimeout);
  expect(workers.dropped).toEqual([{ texts: ['slow'] }]);

  workers.refuse = new Error('Connection is closed.');
  await expect(ask(['x'])).rejects.toThrow('Connection is closed.');
});

it('tells workers until when somebody waits', () => {
  const { workers, ask } = setUp({ waitTimeoutMs: 1234 });
  void ask(['a']);
  const task = workers.tasks[0]!.task as RequestTask;
  expect(task).toMatchObject({ kind: 'request', apiId: 'api', model: 'm' });
  expect(task.deadlineAt - task.acceptedAt).toBe(1234);
});
