import { useRef, useState } from 'preact/hooks';
import { similarity } from '../figures/format.js';

export interface HeatMapProps {
  readonly texts: readonly string[];
  /** `[n, n]`, -1..1 */
  readonly cosines: readonly (readonly number[])[];
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Cosine of each pair, as a number in a coloured cell. One cell takes the focus; the arrow keys move it. */
export function HeatMap({ texts, cosines }: HeatMapProps) {
  const grid = useRef<HTMLTableElement>(null);
  const [[row, column], setAt] = useState<readonly [number, number]>([0, Math.min(1, texts.length - 1)]);
  const others = cosines.flatMap((line, i) => line.filter((_, j) => i !== j));
  const least = others.length === 0 ? 0 : Math.min(...others);
  const warmth = (value: number) => (least >= 1 ? 1 : Math.max(0, (value - least) / (1 - least)));

  const move = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const within = (place: number) => Math.min(texts.length - 1, Math.max(0, place));
    const next = [within(row + step[0]), within(column + step[1])] as const;
    setAt(next);
    grid.current?.querySelector<HTMLElement>(`[data-cell="${next.join()}"]`)?.focus();
  };
  const [a, b] = [texts[row] ?? '', texts[column] ?? ''];
  return (
    <>
      <div class="heat-box">
        <table
          class="heat"
          role="grid"
          aria-label="Cosine similarity of each pair of texts"
          ref={grid}
          onKeyDown={move}
        >
          <thead>
            <tr>
              <td />
              {texts.map((_, j) => (
                <th key={`${j}`} scope="col">
                  {j + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cosines.map((line, i) => (
              <tr key={`${i}`}>
                <th scope="row" title={texts[i]}>
                  {i + 1}
                </th>
                {line.map((value, j) => (
                  <td
                    key={`${j}`}
                    role="gridcell"
                    data-cell={`${i},${j}`}
                    tabIndex={i === row && j === column ? 0 : -1}
                    aria-selected={i === row && j === column}
                    style={{ '--warmth': warmth(value).toFixed(3) }}
                    onFocus={() => setAt([i, j])}
                    onClick={() => setAt([i, j])}
                  >
                    {similarity(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="pair-text" aria-live="polite">
        <b>{similarity(cosines[row]?.[column] ?? 0)}</b> {row + 1}. {a} <span aria-hidden="true">↔</span> {column + 1}.{' '}
        {b}
      </p>
    </>
  );
}
