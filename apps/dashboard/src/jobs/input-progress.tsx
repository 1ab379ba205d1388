import type { AdminJobDetail } from '#contracts';
import { count, percent } from '../figures/format.js';

/** The job's texts in input order, left to right: how much of each part is done. */
export function InputProgress({ slices: { done, texts_each: each } }: Pick<AdminJobDetail, 'slices'>) {
  if (done.length === 0) return <p class="hint">No texts yet.</p>;
  const finished = done.filter((share) => share >= 1).length;
  const width = 100 / done.length;
  return (
    <>
      <svg
        class="input-progress"
        viewBox="0 0 100 20"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${finished} of ${done.length} parts of the input done`}
      >
        {done.map((share, i) => (
          // A part has no other key than its index.
          <g key={`${i}`}>
            <rect class="input-part" x={i * width} width={width * 0.86} height="20" />
            <rect class="input-part-done" x={i * width} width={width * 0.86} y={20 - 20 * share} height={20 * share}>
              <title>{`Texts from ${count(i * each)}: ${percent(share)}`}</title>
            </rect>
          </g>
        ))}
      </svg>
      <p class="hint">
        {count(finished)} of {count(done.length)} parts done, {count(each)} texts each, in input order.
      </p>
    </>
  );
}
