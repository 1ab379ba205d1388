import { useMemo, useState } from 'preact/hooks';
import type { HistorySeries } from '#contracts';
import { duration, percent, short } from '../figures/format.js';
import { LANES_IN_ORDER } from '../figures/lanes.js';
import type { Timeline } from '../figures/timeline.js';
import { Chart, type Line } from '../parts/chart.js';
import { Choice } from '../parts/choice.js';

const DEPTHS = [
  { unit: 'tasks', title: 'Tasks', format: (value: number | null) => short(value), least: 4 },
  { unit: 'texts', title: 'Texts', format: (value: number | null) => short(value), least: 10 },
  { unit: 'backlog_seconds', title: 'Seconds', format: duration, least: 1 },
] as const;

export interface ChartsProps {
  readonly model: string;
  /** Null while loading. */
  readonly timeline: Timeline | null;
}

/** Six charts of one model over one window of time. */
export function Charts({ model, timeline }: ChartsProps) {
  const [depth, setDepth] = useState<(typeof DEPTHS)[number]>(DEPTHS[2]);
  const series = timeline?.models[model];
  const lines = useMemo(() => linesOf(series), [series]);
  const depthLines = useMemo(
    () =>
      LANES_IN_ORDER.map((lane): Line => ({
        label: lane,
        colour: `--${lane}`,
        values: series?.[depth.unit][lane] ?? [],
        filled: true,
      })),
    [series, depth],
  );
  const window = { times: timeline?.times ?? NO_TIMES, spanSeconds: timeline?.spanSeconds ?? 300 };
  return (
    <div class="charts" aria-busy={timeline === null}>
      <Chart
        {...window}
        title="Queue depth"
        lines={depthLines}
        format={depth.format}
        least={depth.least}
        key={depth.unit}
      >
        <Choice
          label="Unit of the queue depth"
          options={DEPTHS}
          name={({ title }) => title}
          chosen={depth}
          choose={setDepth}
        />
      </Chart>
      <Chart {...window} title="Query latency" lines={lines.wait} format={duration} least={0.02} />
      <Chart {...window} title="Texts per second" lines={lines.texts} format={short} least={10} />
      <Chart {...window} title="Tokens per second" lines={lines.tokens} format={short} least={100} />
      <Chart {...window} title="Cache and batches" lines={lines.ratios} format={percent} least={1} most={1} />
      <Chart {...window} title="Errors per minute" lines={lines.errors} format={short} least={4} />
    </div>
  );
}

const NO_TIMES: readonly number[] = [];

function linesOf(series: HistorySeries | undefined): Record<'wait' | 'texts' | 'tokens' | 'ratios' | 'errors', Line[]> {
  return {
    wait: [
      { label: 'p50', colour: '--accent', values: series?.wait_p50_seconds ?? [] },
      { label: 'p95', colour: '--accent-2', values: series?.wait_p95_seconds ?? [], dash: [6, 3] },
      { label: 'p99', colour: '--ink-2', values: series?.wait_p99_seconds ?? [], dash: [2, 3] },
    ],
    texts: [{ label: 'texts/s', colour: '--accent', values: series?.texts_per_second ?? [], filled: true }],
    tokens: [{ label: 'tokens/s', colour: '--accent', values: series?.tokens_per_second ?? [], filled: true }],
    ratios: [
      { label: 'cache hits', colour: '--accent', values: series?.cache_hit_ratio ?? [] },
      { label: 'batch efficiency', colour: '--ink-2', values: series?.fill ?? [], dash: [6, 3] },
    ],
    errors: [{ label: 'errors/min', colour: '--bad', values: series?.errors ?? [], filled: true }],
  };
}
