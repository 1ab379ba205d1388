export {
  agreeOnSchema,
  awaitRedis,
  connectRedis,
  exec,
  getStrings,
  hostsOf,
  isRedisAway,
  readRedisTls,
  type RedisClient,
  type RedisCommand,
  type RedisRole,
  script,
  serversOf,
  setStrings,
} from './redis/index.js';
export { cacheKeyOf, findRows } from './cache/find-rows.js';
export { MemoryCache } from './cache/memory-cache.js';
export { RedisCache } from './cache/redis-cache.js';
export type { RowCache } from './cache/row-cache.js';
export { TieredCache } from './cache/tiered-cache.js';
export { FailedInputs } from './jobs/failed-inputs.js';
export { FinishedJobs } from './jobs/finished-jobs.js';
export { JobIndex } from './jobs/job-index.js';
export { JobInspection } from './jobs/job-inspection.js';
export { type AckResult, type Acknowledgement, JobLedger, type Replanned } from './jobs/job-ledger.js';
export { type JobFilter, JobList } from './jobs/job-list.js';
export type { NewJob } from './jobs/job-record-codec.js';
export { RedisResults } from './results/redis-results.js';
export type { JobRef, PlacedRow, ResultStore } from './results/result-store.js';
export { SegmentMissingError, type SegmentStore } from './segments/segment-store.js';
export { type Cancellation, CancellationListener, Cancellations } from './replies/cancellations.js';
export { Replies } from './replies/replies.js';
export type { Reply } from './replies/reply-codec.js';
export { ReplyInbox } from './replies/reply-inbox.js';
export { CanaryReferences } from './registry/canary-references.js';
export { ModelRegistry } from './registry/model-registry.js';
export { WorkerRegistry } from './registry/worker-registry.js';
export { HISTORY_TICK_MS, HistoryReader, HistoryRecorder, type HistoryStep } from './history/history.js';
export { historyField, type HistoryCounts, type HistoryName, waitName, waitsOf } from './history/history-fields.js';
export { waitPercentile } from './history/wait-buckets.js';
