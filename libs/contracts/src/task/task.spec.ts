import { z } from 'zod';
import { embed } from '../operations/embed.js';
import type { Operation } from '../operations/operation.js';
import { OPERATIONS, Operations, UnknownOperationError } from '../operations/operations.js';
import { NewerFormatError } from '../record/schema-version.js';
import { type JobTask, jobTaskId, readTask, type RequestTask, requestIdOfTask, unitOfTask } from './task.js';

const FINGERPRINT = 'f'.repeat(64);
const OLD_SPEC = { fingerprint: FINGERPRINT, prompt: 'query: ', truncate: 'end' };

/** As 0.1.0 put them into the queue. */
const OLD_JOB_TASK = {
  kind: 'job',
  model: 'm',
  spec: OLD_SPEC,
  texts: ['a', 'b'],
  acceptedAt: 1,
  requestId: 'r',
  jobId: 'job_a',
  unit: 3,
  positions: [[0, 2], [1]],
};
const OLD_REQUEST_TASK = {
  kind: 'request',
  model: 'm',
  spec: OLD_SPEC,
  texts: ['a'],
  acceptedAt: 1,
  apiId: 'api',
  deadlineAt: 2,
  timed: true,
};

const JOB_TASK: JobTask = {
  v: 2,
  kind: 'job',
  model: 'm',
  spec: { operation: 'embed', fingerprint: FINGERPRINT, prompt: 'query: ', truncate: 'end' },
  inputs: ['a', 'b'],
  acceptedAt: 1,
  requestId: 'r',
  jobId: 'job_a',
  unit: 3,
  positions: [[0, 2], [1]],
};

const pairs: Operation<[string, string]> = {
  name: 'pairs',
  input: z.tuple([z.string(), z.string()]),
  key: (pair) => JSON.stringify(pair),
  bytes: ([a, b]) => Buffer.byteLength(a + b),
  texts: (pair) => pair,
  isServedBy: () => true,
  rowBytes: () => ({ least: 8, most: 8 }),
  example: ['a', 'b'],
};

it('reads what it writes', () => {
  expect(readTask(JSON.parse(JSON.stringify(JOB_TASK)), OPERATIONS)).toEqual(JOB_TASK);
  const { jobId: _job, unit: _unit, positions: _positions, ...base } = JOB_TASK;
  const request: RequestTask = { ...base, kind: 'request', apiId: 'api', deadlineAt: 2 };
  expect(readTask(JSON.parse(JSON.stringify(request)), OPERATIONS)).toEqual(request);
});

it('reads tasks that 0.1.0 left in the queue', () => {
  expect(readTask(OLD_JOB_TASK, OPERATIONS)).toEqual(JOB_TASK);
  expect(readTask(OLD_REQUEST_TASK, OPERATIONS)).toEqual({
    v: 2,
    kind: 'request',
    model: 'm',
    spec: JOB_TASK.spec,
    inputs: ['a'],
    acceptedAt: 1,
    apiId: 'api',
    deadlineAt: 2,
  });
});

it('refuses a task of a newer version, and says why', () => {
  const newer = { ...JOB_TASK, v: 3, inputs: { anything: true } };
  expect(() => readTask(newer, OPERATIONS)).toThrow(NewerFormatError);
  expect(() => readTask(newer, OPERATIONS)).toThrow('a task in the queue is of format 3, written by a newer version');
});

it('refuses an operation that it does not have', () => {
  const task = { ...JOB_TASK, spec: { ...JOB_TASK.spec, operation: 'pairs' } };
  expect(() => readTask(task, OPERATIONS)).toThrow(UnknownOperationError);
});

it('checks inputs by their operation', () => {
  const both = new Operations([embed, pairs]);
  const spec = { ...JOB_TASK.spec, operation: 'pairs' };
  const inputs = [['a', 'b']];
  expect(readTask({ ...JOB_TASK, spec, inputs }, both).inputs).toEqual(inputs);
  expect(() => readTask({ ...JOB_TASK, spec }, both)).toThrow(z.ZodError);
  expect(() => readTask({ ...JOB_TASK, inputs }, both)).toThrow(z.ZodError);
  expect(() => readTask({ ...OLD_JOB_TASK, texts: ['a', 5] }, both)).toThrow(z.ZodError);
});

it.each([
  ['nothing to do', { ...JOB_TASK, inputs: [] }],
  ['no inputs', { ...JOB_TASK, inputs: undefined }],
  ['an unknown kind', { ...JOB_TASK, kind: 'other' }],
  ['0.1.0 without texts', { ...OLD_JOB_TASK, texts: undefined }],
])('refuses what is no task: %s', (_, task) => {
  expect(() => readTask(task, OPERATIONS)).toThrow(z.ZodError);
});

it('tells whose a task is without reading the rest of it, whatever version wrote it', () => {
  const newer = { v: 9, kind: 'job', jobId: 'job_a', unit: 3, requestId: 'r', parcels: [] };
  for (const task of [OLD_JOB_TASK, JOB_TASK, newer]) {
    expect(unitOfTask(task)).toEqual({ jobId: 'job_a', unit: 3 });
    expect(requestIdOfTask(task)).toBe('r');
  }
  expect(unitOfTask(OLD_REQUEST_TASK)).toBeNull();
  expect(requestIdOfTask(OLD_REQUEST_TASK)).toBeUndefined();
  for (const none of [null, 'text', {}]) expect([unitOfTask(none), requestIdOfTask(none)]).toEqual([null, undefined]);
});

it('has an id that BullMQ takes', () => {
  expect(jobTaskId('job_a', 3)).toBe('job_a-3');
});
