import { TASK_FORMAT } from '#contracts';
import type { Task } from '#contracts';
import { LiveTasks } from './live-tasks.js';

const spec = { operation: 'embed', fingerprint: 'f'.repeat(16), prompt: '', truncate: 'end' } as const;
const base = { v: TASK_FORMAT, model: 'm', spec, inputs: ['a', 'b', 'c'], acceptedAt: 0 } satisfies Partial<Task>;
const jobTask = (jobId: string, unit: number): Task => ({
  kind: 'job',
  ...base,
  jobId,
  unit,
  positions: [[0], [1], [2]],
});
const requestTask: Task = { kind: 'request', ...base, apiId: 'api', deadlineAt: Infinity };
const stays = new AbortController().signal;

describe('news of a cancellation', () => {
  it('drops all inputs of all tasks of a cancelled job, and of no other', () => {
    const live = new LiveTasks();
    const cancelled = [live.enter(jobTask('j', 0), 'j-0', stays), live.enter(jobTask('j', 1), 'j-1', stays)];
    const other = live.enter(jobTask('k', 0), 'k-0', stays);
    live.cancel({ jobId: 'j' });
    expect(cancelled.map((task) => task.wanted())).toEqual([[], []]);
    expect(other.wanted()).toEqual([0, 1, 2]);
  });

  it('drops the inputs of a request that were given up, and tolerates indexes that do not exist', () => {
    const live = new LiveTasks();
    const task = live.enter(requestTask, 't', stays);
    live.cancel({ taskId: 't', indexes: [1, 7] });
    expect(task.wanted()).toEqual([0, 2]);
    expect(task.signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
  });

  it('finds no task that has ended', () => {
    const live = new LiveTasks();
    const task = live.enter(requestTask, 't', stays);
    task.end();
    live.cancel({ taskId: 't', indexes: [0] });
    expect(task.wanted()).toEqual([0, 1, 2]);
  });
});

describe('a worker that leaves', () => {
  it('drops everything it holds and everything that enters later', () => {
    const live = new LiveTasks();
    const leaving = new AbortController();
    const held = live.enter(requestTask, 't', leaving.signal);
    leaving.abort();
    expect(held.wanted()).toEqual([]);
    expect(live.enter(jobTask('j', 0), 'j-0', leaving.signal).wanted()).toEqual([]);
  });
});
