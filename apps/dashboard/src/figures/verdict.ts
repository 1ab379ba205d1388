import type { HistorySeries, ModelView } from '#contracts';
import { counted, duration } from './format.js';

/** Work of less than so many seconds is no backlog worth a word. */
const CALM_SECONDS = 5;
/** Work that has waited so long while nothing is done at all waits for something that will not come. */
const STALLED_SECONDS = 15;
/** How far back growth is looked for, s. */
const LOOK_BACK_SECONDS = 60;
/** Growth of less than this share over that time is noise. */
const NOISE = 0.05;

export type VerdictKind = 'no-workers' | 'stalled' | 'paused' | 'idle' | 'keeping-up' | 'falling-behind';

/** Whether a model's workers keep up, in words. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** `Keeping up` */
  readonly words: string;
  /** What it is said from, in one sentence. */
  readonly because: string;
  /** Longest of the two lanes; null when there is work and no rate to tell. */
  readonly backlogSeconds: number | null;
}

/**
 * Falling behind is work that piles up: more of it than a minute ago, and more than a few seconds' worth. A large job
 * that shrinks is none.
 * @param times of `texts`, epoch seconds
 */
export function verdictOf(
  model: ModelView,
  texts: HistorySeries['texts'] | undefined,
  times: readonly number[],
): Verdict {
  const { interactive, bulk } = model.lanes;
  const waiting = interactive.texts + bulk.texts;
  const backlogSeconds =
    interactive.backlog_seconds === null || bulk.backlog_seconds === null
      ? null
      : Math.max(interactive.backlog_seconds, bulk.backlog_seconds);
  const said = (kind: VerdictKind, words: string, because: string): Verdict => ({
    kind,
    words,
    because,
    backlogSeconds,
  });

  if (model.ready_workers === 0) {
    return said(
      'no-workers',
      'No workers',
      `${waiting === 0 ? 'Nothing waits' : `${counted(waiting, 'text')} wait`}, and no worker is ready to take work.`,
    );
  }
  const paused = [interactive.paused && 'interactive', bulk.paused && 'bulk'].filter(Boolean);
  if (paused.length > 0) {
    return said(
      'paused',
      'Paused',
      `The ${paused.join(' and the ')} lane takes no work until somebody resumes it; ${counted(waiting, 'text')} wait.`,
    );
  }
  if (waiting === 0) {
    return said('idle', 'Idle', `Nothing waits; ${counted(model.ready_workers, 'worker')} ready.`);
  }

  const oldest = Math.max(interactive.oldest_age_seconds ?? 0, bulk.oldest_age_seconds ?? 0);
  if (model.texts_per_second === 0 && oldest > STALLED_SECONDS) {
    return said(
      'stalled',
      'Stalled',
      `${counted(waiting, 'text')} unfinished, the oldest for ${duration(oldest)}, and nothing is being done: see the workers.`,
    );
  }

  const before = textsBefore(texts, times);
  const change = before === null ? 0 : waiting - before;
  const grows = change > NOISE * waiting;
  const trend = grows ? 'and growing' : -change > NOISE * waiting ? 'and shrinking' : 'and steady';
  const calm = backlogSeconds !== null && backlogSeconds < CALM_SECONDS;
  const because = `${counted(waiting, 'text')} unfinished, ${trend}${backlogSeconds === null ? '; no rate to tell yet' : ''}.`;
  if (grows && !calm && backlogSeconds !== null) return said('falling-behind', 'Falling behind', because);
  return said('keeping-up', 'Keeping up', because);
}

/** `4.2 s of backlog` */
export function backlogWords(verdict: Verdict): string {
  return verdict.backlogSeconds === null ? 'backlog not known' : `${duration(verdict.backlogSeconds)} of backlog`;
}

/** Unfinished texts a minute ago; null when that is not known. */
function textsBefore(texts: HistorySeries['texts'] | undefined, times: readonly number[]): number | null {
  const last = times.at(-1);
  if (texts === undefined || last === undefined) return null;
  const at = times.findIndex((time) => time >= last - LOOK_BACK_SECONDS);
  const [interactive, bulk] = [texts.interactive[at], texts.bulk[at]];
  return interactive === null || interactive === undefined || bulk === null || bulk === undefined
    ? null
    : interactive + bulk;
}
