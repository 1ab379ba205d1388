import { percent } from '../figures/format.js';
import type { Projection } from '../figures/projection.js';

const SIDE = 320;
const MARGIN = 28;

/** The texts as points: texts of similar meaning are close to each other, as far as two axes can show it. */
export function Plane({ texts, projection }: { readonly texts: readonly string[]; readonly projection: Projection }) {
  const { points, shares } = projection;
  // The same scale for both axes, so that distances can be compared.
  const reach = Math.max(1e-9, ...points.flat().map(Math.abs));
  const place = (value: number) => SIDE / 2 + (value / reach) * (SIDE / 2 - MARGIN);
  const places = points.map(([x, y]) => [place(x), place(-y)] as const);
  return (
    <>
      <svg
        class="plane"
        viewBox={`0 0 ${SIDE} ${SIDE}`}
        role="img"
        aria-label="The texts on a plane, by their two main components"
      >
        <line x1={SIDE / 2} x2={SIDE / 2} y1="8" y2={SIDE - 8} />
        <line y1={SIDE / 2} y2={SIDE / 2} x1="8" x2={SIDE - 8} />
        {places.map(([x, y], i) => (
          <g key={`${i}`} transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}>
            <title>{texts[i]}</title>
            <circle r="4.5" />
            {hasRightNeighbour(places, i) ? (
              <text x="-8" y="4" text-anchor="end">
                {i + 1}
              </text>
            ) : (
              <text x="8" y="4">
                {i + 1}
              </text>
            )}
          </g>
        ))}
      </svg>
      <p class="hint">
        Main components: {percent(shares[0])} of the differences lie along →, {percent(shares[1])} along ↑.
      </p>
    </>
  );
}

/** Whether another point would cover a label to the right. */
function hasRightNeighbour(places: readonly (readonly [number, number])[], of: number): boolean {
  const [x, y] = places[of]!;
  return places.some(([ox, oy], i) => i !== of && ox >= x && ox - x < 26 && Math.abs(oy - y) < 14);
}
