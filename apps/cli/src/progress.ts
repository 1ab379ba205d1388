import { Presets, SingleBar } from 'cli-progress';
import type { JobObject } from '#contracts';
import type { Terminal } from './terminal.js';

/** Minimum time between two lines when the output is not a terminal, ms. */
const PLAIN_MS = 2000;

/** Shows a job's progress: a live bar in a terminal, a line from time to time elsewhere. */
export interface Progress {
  show(job: JobObject): void;
  /** Stops the bar. The caller must do this after a failure, too. */
  close(): void;
}

export function progressOf(texts: number, terminal: Terminal): Progress {
  return terminal.interactive ? liveBar(texts) : plainLines(texts, terminal);
}

function liveBar(texts: number): Progress {
  const began = performance.now();
  const format = '  {bar} {share}  {counts}  {rate}  {hits}  {left}';
  const bar = new SingleBar(
    { format, barsize: 28, hideCursor: true, stream: process.stdout, gracefulExit: false },
    Presets.shades_classic,
  );
  bar.start(texts, 0, { ...wordsOf(null, texts, began), share: '  0%' });
  return {
    show: (job) => {
      const done = job.counts.done + job.counts.failed;
      bar.update(done, { ...wordsOf(job, texts, began), share: `${Math.floor((100 * done) / texts)}%`.padStart(4) });
    },
    close: () => bar.stop(),
  };
}

function plainLines(texts: number, terminal: Terminal): Progress {
  const began = performance.now();
  let shown = began;
  return {
    show: (job) => {
      if (job.state !== 'completed' && performance.now() - shown < PLAIN_MS) return;
      shown = performance.now();
      const { counts, rate, hits, left } = wordsOf(job, texts, began);
      terminal.say(`  ${counts}  ${rate}  ${hits}  ${left}`);
    },
    close: () => {},
  };
}

/** @param began when the upload began, by `performance.now()` */
function wordsOf(job: JobObject | null, texts: number, began: number) {
  const { done = 0, failed = 0, cached = 0 } = job?.counts ?? {};
  const eta = job?.eta_seconds ?? null;
  // The service's rate leaves out cached texts, and is null while there is none: then the mean since the upload began.
  const tokensPerSecond = job?.rate?.tokens_per_second ?? (1000 * (job?.tokens ?? 0)) / (performance.now() - began);
  return {
    counts: `${whole(done + failed)}/${whole(texts)} texts`,
    rate: `${whole(tokensPerSecond)} tokens/s`,
    hits: `${whole(cached)} from the cache`,
    left: job?.state === 'completed' ? 'done' : eta === null ? '' : `${Math.ceil(eta)} s left`,
  };
}

/** `12,345`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
