export { awaitRedis } from './await-redis.js';
export { type Abort, AbortListener, Aborts } from './aborts.js';
export { newKeyOf, viewKey } from './api-key-view.js';
export { ApiKeys, holdsKey } from './api-keys.js';
export { Authenticator, bearerOf, requireScope } from './authenticator.js';
export { AuditLog } from './audit-log.js';
export { CanaryReferences } from './canary-references.js';
export { connectRedis, type RedisRole } from './connect-redis.js';
export {
  exec,
  getStrings,
  hostsOf,
  isRedisAway,
  readRedisTls,
  type RedisClient,
  type RedisCommand,
  type Script,
  script,
  setStrings,
} from './redis/index.js';
export type { EmbeddingCache } from './embedding-cache.js';
export { type FailedPlaces, FailedTexts } from './failed-texts.js';
export { FairShares } from './fair-shares.js';
export { FinishedJobs } from './finished-jobs.js';
export { HISTORY_TICK_MS, HistoryReader, HistoryRecorder, type HistoryStep } from './history.js';
export { historyField, type HistoryCounts, type HistoryName, waitName, waitsOf } from './history-fields.js';
export { JobInspection } from './job-inspection.js';
export type { NewJob } from './job-record-codec.js';
export { type AckResult, type Acknowledgement, type JobFilter, JobStore } from './job-store.js';
export { missingKey } from './key-refusals.js';
export { MemoryCache } from './memory-cache.js';
export { ModelRegistry } from './model-registry.js';
export { type RateWindow, RateWindows } from './rate-windows.js';
export { RedisCache } from './redis-cache.js';
export { Replies } from './replies.js';
export { ReplyInbox } from './reply-inbox.js';
export { decodeRow, encodeRow, rowBytes, rowTokens, rowTruncated } from './row-codec.js';
export type { PlacedRow } from './slice-runs.js';
export { type DashboardSession, Sessions } from './sessions.js';
export { TieredCache } from './tiered-cache.js';
export { waitPercentile } from './wait-buckets.js';
export { WorkerRegistry } from './worker-registry.js';
