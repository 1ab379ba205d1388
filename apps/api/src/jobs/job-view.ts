import { ApiError, type Caller, isFinal, type JobObject, type JobRecord, maySee } from '#contracts';
import type { OutputShapes } from '../output/output-shape.js';

/** `Retry-After` of a running job: bounds, and the value while there is no estimate (`unknown`), s. */
const RETRY_SECONDS = { least: 1, most: 60, unknown: 2 };

/** A job's record as clients see it. */
export function viewJob(job: JobRecord, shapes: OutputShapes): JobObject {
  const settled = job.done + job.failed;
  return {
    id: job.id,
    object: 'job',
    state: job.state,
    operation: job.spec.operation,
    model: job.model,
    priority: job.lane === 'interactive' ? 'high' : 'normal',
    prompt: job.prompt,
    counts: {
      texts: job.texts,
      done: job.done,
      cached: job.cached,
      failed: job.failed,
      pending: Math.max(0, job.texts - settled),
      truncated: job.truncated,
    },
    progress: job.texts === 0 ? 0 : settled / job.texts,
    tokens: job.tokens,
    rate:
      job.textsPerSecond > 0
        ? { texts_per_second: round(job.textsPerSecond), tokens_per_second: round(job.tokensPerSecond) }
        : null,
    eta_seconds: etaSeconds(job),
    ...shapes.of(job.spec).describe(job.output, job.rowBytes),
    created_at: epochSeconds(job.createdAt),
    started_at: job.startedAt === null ? null : epochSeconds(job.startedAt),
    finished_at: job.finishedAt === null ? null : epochSeconds(job.finishedAt),
    expires_at: epochSeconds(job.expiresAt),
    error: job.error,
    links: { self: jobPath(job.id), results: `${jobPath(job.id)}/results` },
  };
}

/** @throws ApiError 404 `job_not_found`, also for jobs of other tenants, so that it does not reveal their existence */
export function requireOwnJob(job: JobRecord | null, id: string, caller: Caller): JobRecord {
  return requireJob(job !== null && maySee(caller, job.tenant) ? job : null, id);
}

/** @throws ApiError 404 `job_not_found` */
export function requireJob(job: JobRecord | null, id: string): JobRecord {
  if (job !== null) return job;
  throw new ApiError({
    status: 404,
    code: 'job_not_found',
    message: `There is no job ${JSON.stringify(id)}: it never was, or it has expired.`,
    param: 'id',
  });
}

/** URL path of a job. */
export function jobPath(id: string): string {
  return `/v1/jobs/${id}`;
}

/** Estimated seconds until the texts accepted so far are finished; null when the job is final or has no rate yet. */
export function etaSeconds(job: JobRecord): number | null {
  if (isFinal(job.state) || job.textsPerSecond <= 0) return null;
  return round(Math.max(0, job.texts - job.done - job.failed) / job.textsPerSecond);
}

/** `Retry-After` of an unfinished job, whole seconds; null for a final one, which does not change any more. */
export function retryAfter(job: JobRecord): number | null {
  if (isFinal(job.state)) return null;
  const seconds = Math.ceil(etaSeconds(job) ?? RETRY_SECONDS.unknown);
  return Math.min(RETRY_SECONDS.most, Math.max(RETRY_SECONDS.least, seconds));
}

function epochSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
