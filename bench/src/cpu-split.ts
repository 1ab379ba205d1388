import type { Deployment } from './deployment.js';
import { cpuSeconds, mainThreadSeconds } from './proc.js';

const PARTS = ['api', 'workerMain', 'workerOther', 'queueRedis', 'cacheRedis', 'client'] as const;
export type CpuPart = (typeof PARTS)[number];

/** CPU seconds of the parts of a deployment. */
export type CpuSplit = Readonly<Record<CpuPart, number>>;

/** Names of the parts in tables. */
export const PART_NAMES: Readonly<Record<CpuPart, string>> = {
  api: 'API',
  workerMain: 'workers, main threads',
  workerOther: 'workers, other threads',
  queueRedis: 'queue Redis',
  cacheRedis: 'cache Redis',
  client: 'client (this benchmark)',
};

/** Reads the CPU time so far, s; the worker processes of a deployment are added up. */
export function readCpu({ api, workers, queue, cache }: Deployment): CpuSplit {
  const sum = (read: (pid: number) => number) => workers.reduce((seconds, { pid }) => seconds + read(pid), 0);
  const workerMain = sum(mainThreadSeconds);
  return {
    api: cpuSeconds(api.pid),
    workerMain,
    workerOther: sum(cpuSeconds) - workerMain,
    queueRedis: cpuSeconds(queue.pid),
    cacheRedis: cpuSeconds(cache.pid),
    client: cpuSeconds(process.pid),
  };
}

/** CPU time between two readings, s. */
export function cpuBetween(before: CpuSplit, after: CpuSplit): CpuSplit {
  return mapParts((part) => after[part] - before[part]);
}

export function mapParts<T>(value: (part: CpuPart) => T): Readonly<Record<CpuPart, T>> {
  return Object.fromEntries(PARTS.map((part) => [part, value(part)])) as Record<CpuPart, T>;
}

/** CPU time of all parts except the client, s. */
export function ofService(split: CpuSplit): number {
  return PARTS.reduce((seconds, part) => (part === 'client' ? seconds : seconds + split[part]), 0);
}
