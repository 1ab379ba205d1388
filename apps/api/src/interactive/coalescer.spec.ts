import { randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { isRow, type Outcome, rowFloats, type RequestTask } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { WaitTimeout } from './coalescer.js';
import { coalescerOver, ENDLESS_MS, rowOf } from './coalescer.fixture.js';

type SetUp = Awaited<ReturnType<typeof coalescerOver>>;

const server = await startRedis();
const open: SetUp[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => server.stop());

async function setUp(options: Parameters<typeof coalescerOver>[2] = {}): Promise<SetUp> {
  const one = await coalescerOver(server.url, randomUUID(), options);
  open.push(one);
  return one;
}

/** The float of each row, or the code of its error. */
function values({ outcomes }: { readonly outcomes: readonly Outcome[] }): (number | string)[] {
  return outcomes.map((outcome) => (isRow(outcome) ? rowFloats(outcome)[0]! : outcome.code));
}

describe('tasks', () => {
  it('are made at once of a request that comes alone', async () => {
    const { ask, coalescer, startWorker } = await setUp({ windowMs: ENDLESS_MS });
    const worker = startWorker();
    const answer = ask(['a', 'bb']);
    const [task] = await worker.given(1);
    expect(task!.task.inputs).toEqual(['a', 'bb']);
    await worker.answer(task!);
    expect(values(await answer)).toEqual([1, 2]);
    expect((await answer).timings).toEqual({ queueMs: 1, tokenizeMs: 2, batchMs: 3, inferenceMs: 4 });
    expect(coalescer.shared).toBe(0);
  });

  it('are shared by concurrent requests of one kind, each gets its own, and equal texts are computed once', async () => {
    const { ask, coalescer, startWorker } = await setUp();
    const worker = startWorker();
    const first = ask(['first']);
    const second = ask(['aa', 'b']);
    const third = ask(['b', 'cccc']);
    const other = ask(['b'], { prompt: 'query: ' });
    const tasks = await worker.given(3);
    expect(tasks.map(({ task }) => task.inputs).sort()).toEqual([['aa', 'b', 'cccc'], ['b'], ['first']]);
    for (const task of tasks) await worker.answer(task);
    expect(values(await first)).toEqual([5]);
    expect(values(await second)).toEqual([2, 1]);
    expect(values(await third)).toEqual([1, 4]);
    expect(values(await other)).toEqual(['query: b'.length]);
    expect(coalescer.shared).toBe(2);
  });

  it('are not shared by lanes', async () => {
    const { ask, startWorker } = await setUp();
    const worker = startWorker();
    void ask(['first']);
    void ask(['same']);
    void ask(['same'], { lane: 'bulk' });
    expect((await worker.given(3)).map(({ task }) => task.inputs).sort()).toEqual([['first'], ['same'], ['same']]);
  });

  it('wait no longer once one is full, and a large request is cut into several', async () => {
    const { ask, startWorker } = await setUp({ windowMs: ENDLESS_MS });
    const worker = startWorker();
    const first = ask(['first']);
    const large = ask(Array.from({ length: 9 }, (_, n) => 'x'.repeat(n + 1)));
    const tasks = await worker.given(4);
    expect(tasks.map(({ task }) => task.inputs.length).sort()).toEqual([1, 1, 4, 4]);
    for (const task of [...tasks].reverse()) await worker.answer(task);
    expect(values(await large)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await first;
  });

  it('are as large as their bytes allow', async () => {
    const { ask, startWorker } = await setUp({ taskLimits: { maxInputs: 4, maxBytes: 5 } });
    const worker = startWorker();
    const answer = ask(['123', '45', '6', 'longer than any limit', '7']);
    const tasks = await worker.given(4);
    expect(tasks.map(({ task }) => task.inputs).sort()).toEqual([
      ['123', '45'],
      ['6'],
      ['7'],
      ['longer than any limit'],
    ]);
    for (const task of tasks) await worker.answer(task);
    expect(values(await answer)).toEqual([3, 2, 1, 21, 1]);
  });

  it('tell workers whom to answer, and until when somebody waits', async () => {
    const { ask, startWorker } = await setUp({ waitTimeoutMs: 1234 });
    const worker = startWorker();
    void ask(['a'], { requestId: 'r' });
    const task: RequestTask = (await worker.taskOf('a')).task;
    expect(task).toMatchObject({ v: 2, kind: 'request', apiId: 'api', model: 'm', requestId: 'r' });
    expect(task.deadlineAt - task.acceptedAt).toBe(1234);
  });

  it('of one request are heard of by one listener, however many they are', async () => {
    const { ask, startWorker } = await setUp();
    const worker = startWorker();
    const { signal } = new AbortController();
    const answer = ask(
      Array.from({ length: 700 }, (_, n) => String(n)),
      { signal },
    );
    await worker.given(100);
    // Node warns of a leak where there are more than 10.
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (let n = 0; n < 175; n++) await worker.answer((await worker.given(n + 1))[n]!);
    expect(values(await answer)).toHaveLength(700);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('a client that has gone', () => {
  it('takes its own texts with it, and no others', async () => {
    const { ask, cancelled, dropped, firstCancelled, startWorker } = await setUp();
    const worker = startWorker();
    const first = ask(['first']);
    const gone = new AbortController();
    const leaving = ask(['shared', 'mine'], { signal: gone.signal });
    const staying = ask(['shared', 'theirs']);
    const task = await worker.taskOf('mine');
    gone.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    expect(dropped).toEqual([['m', 1]]);
    expect(await firstCancelled()).toEqual({ taskId: task.id, indexes: [task.task.inputs.indexOf('mine')] });
    await worker.answer(task);
    expect(values(await staying)).toEqual([6, 6]);
    await worker.answer(await worker.taskOf('first'));
    await first;
    expect(await cancelled()).toHaveLength(1);
    expect(dropped).toEqual([['m', 1]]);
  });

  it('drops nothing that was answered before', async () => {
    const { ask, cancelled, dropped, inbox, startWorker } = await setUp();
    const worker = startWorker();
    const gone = new AbortController();
    const leaving = ask(
      Array.from({ length: 9 }, (_, n) => 'x'.repeat(n + 1)),
      { signal: gone.signal },
    );
    const [one, other, last] = await worker.given(3);
    for (const task of [one!, other!]) await worker.answer(task);
    await until('both answers are there', () => inbox.waiting === 1);
    gone.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    const indexes = [...last!.task.inputs.keys()];
    expect(await cancelled()).toEqual([{ taskId: last!.id, indexes }]);
    expect(dropped).toEqual([['m', indexes.length]]);
  });

  it('is not waited for: its task leaves the queue when it was the only one', async () => {
    const { ask, cancelled, dropped, enqueued, inbox, queue, removed } = await setUp();
    const gone = new AbortController();
    const leaving = ask(['a', 'b'], { signal: gone.signal });
    const [id] = await enqueued(1);
    gone.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    await removed(id!);
    expect(dropped).toEqual([['m', 2]]);
    expect(await cancelled()).toEqual([{ taskId: id, indexes: [0, 1] }]);
    expect(await queue.count()).toBe(0);
    expect(inbox.waiting).toBe(0);
  });

  it('may be the last of several: their task leaves the queue then, and not before', async () => {
    const { ask, cancelled, dropped, enqueued, queue, removed } = await setUp();
    void ask(['first']);
    const [one, other] = [new AbortController(), new AbortController()];
    const leaving = ask(['a', 'shared'], { signal: one.signal });
    const leavingLater = ask(['shared', 'b'], { signal: other.signal });
    const ids = await enqueued(2);
    one.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    const [drop] = await cancelled();
    expect(drop).toMatchObject({ indexes: [0] });
    expect(await queue.count()).toBe(2);
    other.abort(new Error('gone, too'));
    await expect(leavingLater).rejects.toThrow('gone, too');
    const { taskId } = drop as { taskId: string };
    await removed(taskId);
    expect((await queue.getWaiting()).map(({ id }) => id)).toEqual(ids.filter((id) => id !== taskId));
    expect(dropped).toEqual([
      ['m', 1],
      ['m', 2],
    ]);
  });

  it('leaves nothing in the queue when it went before its window closed', async () => {
    const { ask, dropped, queue, startWorker } = await setUp();
    const worker = startWorker();
    void ask(['first']);
    const gone = new AbortController();
    const leaving = ask(['mine'], { signal: gone.signal });
    const alone = ask(['alone'], { prompt: 'another kind', signal: gone.signal });
    void ask(['theirs']);
    void ask(['later'], { prompt: 'a window that closes after theirs' });
    gone.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    await expect(alone).rejects.toThrow('gone');
    const tasks = await worker.given(3);
    expect(tasks.map(({ task }) => task.inputs).sort()).toEqual([['first'], ['later'], ['theirs']]);
    expect(await queue.getJobCountByTypes('wait', 'active')).toBe(3);
    expect(dropped).toEqual([]);
  });

  it('is asked nothing more when it had gone before it came', async () => {
    const { ask, queue } = await setUp();
    await expect(ask(['a'], { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    expect(await queue.count()).toBe(0);
  });
});

describe('failures are handed on', () => {
  it('of one text', async () => {
    const { ask, startWorker } = await setUp();
    const worker = startWorker();
    const mixed = ask(['good', 'bad']);
    await worker.answer(await worker.taskOf('bad'), [rowOf(7), { code: 'inference_failed', message: 'no' }]);
    expect(values(await mixed)).toEqual([7, 'inference_failed']);
  });

  it('of a worker that answers fewer texts than it was given', async () => {
    const { ask, startWorker } = await setUp();
    const worker = startWorker();
    const answer = ask(['there', 'lost']);
    await worker.answer(await worker.taskOf('lost'), [rowOf(7)]);
    expect(values(await answer)).toEqual([7, 'task_failed']);
  });

  it('of time: what nobody waits for any more leaves the queue', async () => {
    const { ask, cancelled, dropped, enqueued, inbox, removed } = await setUp({ waitTimeoutMs: 1 });
    const slow = ask(['slow', 'texts']);
    const [id] = await enqueued(1);
    await expect(slow).rejects.toBeInstanceOf(WaitTimeout);
    await removed(id!);
    expect(dropped).toEqual([['m', 2]]);
    expect(await cancelled()).toEqual([{ taskId: id, indexes: [0, 1] }]);
    expect(inbox.waiting).toBe(0);
  });

  it('of the queue, which takes nothing; afterwards it takes the next', async () => {
    const { ask, dropped, inbox, queue, redis, startWorker } = await setUp();
    await queue.waitUntilReady();
    await redis.config('SET', 'maxmemory', '1');
    const [alone, another] = [ask(['alone']), ask(['another', 'text'])];
    await expect(alone).rejects.toThrow('OOM');
    await expect(another).rejects.toThrow('OOM');
    await redis.config('SET', 'maxmemory', '0');
    expect(inbox.waiting).toBe(0);
    expect(dropped).toEqual([]);
    const next = ask(['next']);
    const worker = startWorker();
    await worker.answer((await worker.given(1))[0]!);
    expect(values(await next)).toEqual([4]);
  });
});
