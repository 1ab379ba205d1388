import { Presets, SingleBar } from 'cli-progress';
import { whole } from '../progress.js';
import { terminal } from '../terminal.js';
import type { Tally } from './state-file.js';

/** Minimum time between two lines when the output is not a terminal, ms. */
const PLAIN_MS = 5000;
const BAR_STEPS = 1000;

/**
 * Progress of a run, on standard error: a live bar in a terminal, a line from time to time elsewhere, nothing if quiet.
 */
export class EmbedProgress {
  readonly #say: (line: string) => void;
  readonly #bar: SingleBar | null;
  readonly #totalBytes: number;
  readonly #textsBefore: number;
  readonly #began = performance.now();
  #shareBefore: number | null = null;
  #shown = this.#began;
  #waitingFor: string | null = null;

  /**
   * @param totalBytes size of the input; 0: unknown
   * @param textsBefore number of texts finished by earlier runs
   */
  constructor(quiet: boolean, totalBytes: number, textsBefore: number) {
    const { interactive, say } = terminal(process.stderr);
    this.#say = quiet ? () => {} : say;
    this.#totalBytes = totalBytes;
    this.#textsBefore = textsBefore;
    this.#bar =
      interactive && !quiet
        ? new SingleBar(
            { format: '  {bar} {words}', barsize: 28, hideCursor: true, stream: process.stderr, gracefulExit: false },
            Presets.shades_classic,
          )
        : null;
  }

  say(line: string): void {
    this.#say(line);
  }

  /** @param bytes bytes of the input that are finished */
  show(tally: Tally, bytes: number): void {
    const share = this.#totalBytes === 0 ? null : Math.min(1, bytes / this.#totalBytes);
    this.#shareBefore ??= share;
    const words = this.#words(tally, share);
    if (this.#bar !== null) {
      if (!this.#bar.isActive) this.#bar.start(BAR_STEPS, 0, { words });
      this.#bar.update(Math.floor((share ?? 0) * BAR_STEPS), { words });
      return;
    }
    if (performance.now() - this.#shown < PLAIN_MS) return;
    this.#shown = performance.now();
    this.#say(`  ${words}`);
  }

  /** Shows why the run waits; null: it no longer waits. */
  waitFor(reason: string | null): void {
    if (this.#bar === null && reason !== null && this.#waitingFor === null) this.#say(`  waiting: ${reason}`);
    this.#waitingFor = reason;
    if (reason !== null) this.#bar?.update({ words: `waiting: ${reason}` });
  }

  /** Stops the bar and prints a last line. The caller must do this after a failure, too. */
  close(lastLine?: string): void {
    if (this.#bar?.isActive === true) this.#bar.stop();
    if (lastLine !== undefined) this.#say(lastLine);
  }

  /** `12,000 texts, 1,234 texts/s, 40 % from the cache`. */
  summary(tally: Tally): string {
    const seconds = (performance.now() - this.#began) / 1000;
    const cached = tally.texts === 0 ? 0 : Math.floor((100 * tally.cached) / tally.texts);
    const rate = (tally.texts - this.#textsBefore) / Math.max(seconds, 0.001);
    return `${whole(tally.texts)} texts, ${whole(rate)} texts/s, ${cached} % from the cache`;
  }

  #words(tally: Tally, share: number | null): string {
    const gained = (share ?? 0) - (this.#shareBefore ?? 0);
    const left = ((1 - (share ?? 0)) * (performance.now() - this.#began)) / gained / 1000;
    return [
      ...(share === null ? [] : [`${Math.floor(100 * share)} %`]),
      this.summary(tally),
      ...(share === null || gained <= 0 ? [] : [`${duration(left)} left`]),
      ...(this.#waitingFor === null ? [] : [`waiting: ${this.#waitingFor}`]),
    ].join(', ');
  }
}

/** `45 s`, `12 min`, `3 h 20 min`. */
function duration(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
