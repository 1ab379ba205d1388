import { randomUUID } from 'node:crypto';
import { encodeRow, type Keys, type Row, rowsOfFloats, type Spec } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { RedisResults } from '../results/redis-results.js';
import type { ResultStore } from '../results/result-store.js';
import { JobIndex } from './job-index.js';
import { type Acknowledgement, JobLedger } from './job-ledger.js';
import { JobList } from './job-list.js';
import type { NewJob } from './job-record-codec.js';

export const ROW_BYTES = rowsOfFloats(3);
export const SPEC: Spec = { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: 'query: ', truncate: 'end' };

export interface LedgerUnderTest {
  readonly index: JobIndex;
  readonly results: ResultStore;
  readonly ledger: JobLedger;
  readonly list: JobList;
}

/** A ledger whose jobs live for a minute. */
export function openLedger(
  redis: RedisClient,
  keys: Keys,
  results: ResultStore = new RedisResults(redis, keys),
): LedgerUnderTest {
  const index = new JobIndex(redis, keys);
  const ledger = new JobLedger(redis, keys, index, results, { ttlSeconds: 60 });
  return { index, results, ledger, list: new JobList(index, ledger) };
}

export function jobOf(known: Partial<NewJob> = {}): NewJob {
  return {
    id: `job_${randomUUID()}`,
    model: 'm',
    spec: SPEC,
    rowBytes: ROW_BYTES,
    output: { dimensions: null, normalize: true },
    lane: 'bulk',
    tenant: '',
    keyId: null,
    ...known,
  };
}

/** A job whose upload is under way. @returns its id */
export async function openJob(ledger: JobLedger, texts: number, known: Partial<NewJob> = {}): Promise<string> {
  const job = jobOf(known);
  await ledger.create(job);
  await ledger.accept(job.id, texts, 2);
  return job.id;
}

export const tokensAt = (position: number): number => position + 1;
export const truncatedAt = (position: number): boolean => position % 7 === 0;

/** The row of a position, like no other one's. */
export function rowAt(position: number): Row {
  return encodeRow(Float32Array.of(position, -position, 0.5), tokensAt(position), truncatedAt(position));
}

export function unitOf(
  jobId: string,
  unit: number,
  positions: readonly number[],
  more: Partial<Acknowledgement> = {},
): Acknowledgement {
  const rows = positions.map((position) => ({ position, row: rowAt(position) }));
  const { fingerprint } = SPEC;
  return { jobId, unit, cached: false, fingerprint, rowBytes: ROW_BYTES, rows, errors: [], ...more };
}

/** `[0, count)`. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
