import type { AdminJobDetail } from '#contracts';
import { count, percent } from '../figures/format.js';

/** The job's texts in input order, left to right: how much of each part is done. */
export function Slices({ slices: { done, texts_each: each } }: Pick<AdminJobDetail, 'slices'>) {
  if (done.length === 0) return <p class="hint">No texts yet.</p>;
  const finished = done.filter((share) => share >= 1).length;
  const width = 100 / done.length;
  return (
    <>
      <svg
        class="slices"
        viewBox="0 0 100 20"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${finished} of ${done.length} slices done`}
      >
        {done.map((share, i) => (
          // Slices have no name but their place.
          <g key={`${i}`}>
            <rect class="slice" x={i * width} width={width * 0.86} height="20" />
            <rect class="slice-done" x={i * width} width={width * 0.86} y={20 - 20 * share} height={20 * share}>
              <title>{`Texts from ${count(i * each)}: ${percent(share)}`}</title>
            </rect>
          </g>
        ))}
      </svg>
      <p class="hint">
        {count(finished)} of {count(done.length)} done, {count(each)} texts each, in the order they came.
      </p>
    </>
  );
}
