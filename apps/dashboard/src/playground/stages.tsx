import type { PlaygroundResponse } from '#contracts';
import { duration } from '../figures/format.js';

/** Time of each stage of the request, from left to right. */
export function Stages({ response: { stages, total_ms: total } }: { readonly response: PlaygroundResponse }) {
  const sum = Math.max(
    total,
    stages.reduce((all, { ms }) => all + ms, 0),
    1e-6,
  );
  let from = 0;
  return (
    <>
      <svg class="stages" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        {stages.map(({ stage, ms }, i) => {
          const x = (100 * from) / sum;
          from += ms;
          return <rect key={stage} class={`stage stage-${i % 6}`} x={x} width={(100 * ms) / sum} height="10" />;
        })}
      </svg>
      <dl class="stage-list">
        {stages.map(({ stage, ms }, i) => (
          <div key={stage}>
            <dt>
              <i class={`swatch stage-${i % 6}`} /> {stage}
            </dt>
            <dd>{duration(ms / 1000)}</dd>
          </div>
        ))}
        <div>
          <dt>in all</dt>
          <dd>
            <b>{duration(total / 1000)}</b>
          </dd>
        </div>
      </dl>
    </>
  );
}
