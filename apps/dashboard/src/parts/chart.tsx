import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { clock } from '../figures/format.js';
import { peak } from '../figures/timeline.js';
import { theme } from '../theme.js';

/** One line. `colour` is the name of a CSS custom property, so that a lane has the same colour everywhere. */
export interface Line {
  readonly label: string;
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly dash?: readonly number[];
  readonly filled?: boolean;
}

export interface ChartProps {
  readonly title: string;
  readonly times: readonly number[];
  readonly spanSeconds: number;
  readonly lines: readonly Line[];
  readonly format: (value: number | null) => string;
  /** Minimum upper end of the y axis, so that noise near zero does not look large. */
  readonly least: number;
  /** Maximum upper end of the y axis. */
  readonly most?: number | undefined;
  /** Shown to the right of the title. */
  readonly children?: preact.ComponentChildren;
}

const HEIGHT = 132;
const AXIS_WIDTH = 58;

/**
 * A time series. All charts of the page share one time window and one cursor; unknown values are not drawn. The legend
 * has the values at the cursor, else the last known values.
 */
export function Chart({ title, times, spanSeconds, lines, format, least, most, children }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef({ times, lines, format, least, most, spanSeconds });
  shown.current = { times, lines, format, least, most, spanSeconds };
  const [pointed, setPointed] = useState<number | null>(null);
  const colours = theme.value;
  const shape = lines.map(({ label, colour }) => label + colour).join();

  useLayoutEffect(() => {
    const element = box.current!;
    const made = new uPlot(optionsFor(element, shown, setPointed), dataOf(times, lines), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [colours, shape]);

  useEffect(() => {
    plot.current?.setData(dataOf(times, lines));
  }, [times, lines]);

  const at = pointed === null || pointed >= times.length ? lastKnown(times, lines) : pointed;
  const known = lines.some(({ values }) => values.some((value) => value !== null));
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        {children}
      </figcaption>
      <div class="plot" ref={box} role="img" aria-label={inWords(title, lines, format)}>
        {!known && <p class="plot-empty">Nothing measured in this range yet</p>}
      </div>
      <ul class="legend">
        {lines.map(({ label, colour, values }) => (
          <li key={label}>
            <i class="swatch" style={{ background: `var(${colour})` }} />
            {label} <b>{format(values[at] ?? null)}</b>
          </li>
        ))}
        <li class="legend-time">{pointed === null || times[at] === undefined ? '' : clock(times[at])}</li>
      </ul>
    </figure>
  );
}

type Shown = Readonly<Pick<ChartProps, 'times' | 'lines' | 'format' | 'least' | 'most' | 'spanSeconds'>>;

function optionsFor(
  element: HTMLElement,
  shown: { readonly current: Shown },
  point: (index: number | null) => void,
): uPlot.Options {
  const colourOf = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis: uPlot.Axis = {
    font,
    stroke: colourOf('--ink-2'),
    grid: { stroke: colourOf('--rule'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [6, 10, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'overview' }, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      // The window ends at the last point, and always has the requested width.
      x: {
        time: true,
        range: () => {
          const end = shown.current.times.at(-1) ?? Date.now() / 1000;
          return [end - shown.current.spanSeconds, end];
        },
      },
      y: {
        range: (_plot, _low, high) => {
          const { least, most } = shown.current;
          const top = Math.max(least, (high ?? 0) * 1.08);
          return [0, most === undefined ? top : Math.min(most, top)];
        },
      },
    },
    axes: [
      { ...axis, size: 24, space: 46, values: (_plot, ticks) => ticks.map(clockTick) },
      {
        ...axis,
        size: AXIS_WIDTH,
        space: 34,
        values: (_plot, ticks) => ticks.map((tick) => roundly(shown.current.format(tick))),
      },
    ],
    series: [
      {},
      ...shown.current.lines.map((line): uPlot.Series => ({
        label: line.label,
        stroke: colourOf(line.colour),
        width: 1.5,
        ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
        ...(line.filled === true ? { fill: faded(colourOf(line.colour)) } : {}),
        points: { show: (_plot, index) => isAlone(shown.current.lines, index), size: 4 },
        spanGaps: false,
      })),
    ],
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? null)] },
  };
}

function isAlone(lines: readonly Line[], index: number): boolean {
  const values = lines[index - 1]?.values ?? [];
  return values.filter((value) => value !== null).length === 1;
}

function dataOf(times: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [[...times], ...lines.map(({ values }) => [...values])];
}

function lastKnown(times: readonly number[], lines: readonly Line[]): number {
  for (let at = times.length - 1; at >= 0; at--) {
    if (lines.some(({ values }) => values[at] !== null)) return at;
  }
  return times.length - 1;
}

/** Description of the chart for screen readers. */
function inWords(title: string, lines: readonly Line[], format: ChartProps['format']): string {
  const said = lines.map(
    ({ label, values }) => `${label} ${format(values.at(-1) ?? null)}, at most ${format(peak(values))}`,
  );
  return `${title}: ${said.join('; ')}`;
}

function clockTick(epochSeconds: number): string {
  const time = clock(epochSeconds);
  return time.endsWith(':00') ? time.slice(0, 5) : time;
}

/** `50.0k` -> `50k`: an axis has its ticks at round numbers. */
function roundly(figure: string): string {
  return figure.replace('.0', '');
}

/** A colour given as `#rrggbb`, at 15 % opacity. */
function faded(colour: string): string {
  return `${colour}26`;
}
