import type { AdminJob, AdminJobDetail, JobRecord } from '#contracts';
import type { OutputShapes } from '../output/output-shape.js';
import { viewJob } from '../jobs/job-view.js';

/** A job's record as operators see it. @param keyNames API key id -> name; keys that no longer exist are absent */
export function viewAdminJob(job: JobRecord, shapes: OutputShapes, keyNames: ReadonlyMap<string, string>): AdminJob {
  return {
    ...viewJob(job, shapes),
    lane: job.lane,
    tenant: job.tenant,
    key: job.keyId === null ? null : { id: job.keyId, name: keyNames.get(job.keyId) ?? null },
  };
}

/** Events of a job, oldest first, in epoch seconds; the last one, `expires`, is in the future. */
export function viewTimeline(job: JobRecord): AdminJobDetail['timeline'] {
  const events = [
    { event: 'created', at: job.createdAt },
    { event: 'started', at: job.startedAt },
    { event: 'updated', at: job.updatedAt },
    { event: 'finished', at: job.finishedAt },
    { event: 'expires', at: job.expiresAt },
  ] as const;
  return events.flatMap(({ at, event }) => (at === null ? [] : [{ event, at: at / 1000 }])).sort((a, b) => a.at - b.at);
}
