import { LANES_IN_ORDER } from '../figures/lanes.js';
import { duration } from '../figures/format.js';
import type { ModelView } from '#contracts';

/** Marks of the scale, s: logarithmic, since a second and an hour both matter. */
const MARKS = [
  { seconds: 0.1, label: '0.1 s' },
  { seconds: 1, label: '1 s' },
  { seconds: 10, label: '10 s' },
  { seconds: 60, label: '1 min' },
  { seconds: 600, label: '10 min' },
  { seconds: 3600, label: '1 h' },
];
/** Minimum width of the bar of a lane that has any work. */
const LEAST_WIDTH = 2;
const [LEAST, MOST] = [0.1, 3600];

/** Seconds of backlog of both lanes on one logarithmic scale, from a tenth of a second to an hour. */
export function BacklogRule({ lanes }: Pick<ModelView, 'lanes'>) {
  return (
    <div class="rule">
      <svg viewBox="0 0 320 46" preserveAspectRatio="none" aria-hidden="true">
        <line class="rule-line" x1="0" x2="320" y1="23" y2="23" />
        {MARKS.map(({ seconds }) => (
          <line
            key={seconds}
            class="rule-mark"
            x1={320 * placeOf(seconds)}
            x2={320 * placeOf(seconds)}
            y1="17"
            y2="29"
          />
        ))}
        {LANES_IN_ORDER.map((lane, i) => {
          const { texts, backlog_seconds: seconds } = lanes[lane];
          const width = Math.max(texts > 0 ? LEAST_WIDTH : 0, 320 * placeOf(seconds ?? 0));
          return <rect key={lane} class={lane} x="0" y={i === 0 ? 9 : 25} width={width} height="12" />;
        })}
      </svg>
      <ol class="rule-marks" aria-hidden="true">
        {MARKS.map(({ seconds, label }) => (
          <li key={seconds} style={{ left: `${100 * placeOf(seconds)}%` }}>
            {label}
          </li>
        ))}
      </ol>
      <dl class="rule-lanes">
        {LANES_IN_ORDER.map((lane) => (
          <div key={lane}>
            <dt>
              <i class={`swatch ${lane}`} /> {lane}
            </dt>
            <dd>{duration(lanes[lane].backlog_seconds)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** Position on the scale, 0..1. */
function placeOf(seconds: number): number {
  const place = Math.log(Math.max(LEAST, seconds) / LEAST) / Math.log(MOST / LEAST);
  return Math.min(1, place);
}
