import type { AdminJob } from '#contracts';
import { percent } from '../figures/format.js';

/** Share of a job's texts that came from the cache, were computed, and failed. */
export function ProgressBar({ job }: { readonly job: Pick<AdminJob, 'counts' | 'progress' | 'state'> }) {
  const { texts, done, cached, failed } = job.counts;
  const share = (part: number) => (texts === 0 ? 0 : (100 * part) / texts);
  return (
    <div class="progress">
      <svg
        viewBox="0 0 100 8"
        preserveAspectRatio="none"
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * job.progress)}
      >
        <rect class="progress-done" width={share(done)} height="8" />
        <rect class="progress-cached" width={share(cached)} height="8" />
        <rect class="progress-failed" x={share(done)} width={share(failed)} height="8" />
      </svg>
      <span>{percent(job.progress)}</span>
    </div>
  );
}
