import { type Lane, LANES, type LaneView, type ModelVerdict } from '#contracts';
import type { Load } from './load.js';
import { about, counted, perSecond } from './words.js';

/** A shorter backlog counts as none, s. */
const CALM_SECONDS = 5;
/** Older work counts as stalled when no text is finished, s. */
const STALLED_SECONDS = 15;
/** Rates that differ by less than this fraction count as equal. */
const NOISE = 0.05;

/** Current state of a model. */
export interface ModelPresent {
  readonly readyWorkers: number;
  readonly lanes: Readonly<Record<Lane, Pick<LaneView, 'texts' | 'paused' | 'oldest_age_seconds'>>>;
  /** Unfinished jobs of both lanes, and their unfinished texts. */
  readonly jobs: number;
  readonly jobTexts: number;
  /** Texts/s that workers finished over the last 10 s, from history, and as reported in their last heartbeats. */
  readonly finishedPerSecond: number;
  readonly reportedPerSecond: number;
}

/** Figures behind the verdict; rates in texts/s, null when unknown. */
interface Figures {
  readonly unfinished: number;
  readonly rate: number | null;
  readonly arrivalRate: number | null;
  /** Unfinished texts / rate. */
  readonly backlogSeconds: number | null;
  /** Time until all texts are finished while others keep arriving; null when they arrive about as fast or faster. */
  readonly secondsLeft: number | null;
}

type Judgement = Pick<ModelVerdict, 'state' | 'message' | 'reason'>;

/**
 * Judges whether a model's workers keep up. Falling behind means that texts keep arriving faster than workers finish
 * them. A single job is a batch to work through, however large it is and however long its upload takes.
 */
export function verdictOf(present: ModelPresent, load: Load): ModelVerdict {
  const figures = figuresOf(present, load);
  const judgement = judgeService(present, figures.unfinished) ?? judgeFlow(present, figures);
  const moves = ['idle', 'keeping-up', 'working'].includes(judgement.state);
  return {
    ...judgement,
    unfinished_texts: figures.unfinished,
    backlog_seconds: figures.backlogSeconds,
    seconds_left: moves ? figures.secondsLeft : null,
    arrival_texts_per_second: figures.arrivalRate,
    service_texts_per_second: figures.rate,
  };
}

/** Texts/s that workers finish now: the recorded rate, else the reported one; null: unknown. */
export function presentRate(
  { readyWorkers, reportedPerSecond }: Pick<ModelPresent, 'readyWorkers' | 'reportedPerSecond'>,
  { serviceRate }: Load,
): number | null {
  if (readyWorkers === 0) return null;
  return serviceRate ?? (reportedPerSecond > 0 ? reportedPerSecond : null);
}

function figuresOf(present: ModelPresent, load: Load): Figures {
  const { arrivalRate } = load;
  const unfinished = LANES.reduce((sum, lane) => sum + present.lanes[lane].texts, 0);
  const rate = presentRate(present, load);
  if (unfinished === 0) return { unfinished, rate, arrivalRate, backlogSeconds: 0, secondsLeft: 0 };
  if (rate === null) return { unfinished, rate, arrivalRate, backlogSeconds: null, secondsLeft: null };
  const spareRate = rate - (arrivalRate ?? 0);
  const secondsLeft = spareRate > NOISE * rate ? unfinished / spareRate : null;
  return { unfinished, rate, arrivalRate, backlogSeconds: unfinished / rate, secondsLeft };
}

/** Judges whether work is done at all: no workers, paused, idle or stalled; null when there is work and it is done. */
function judgeService({ finishedPerSecond, lanes, readyWorkers }: ModelPresent, unfinished: number): Judgement | null {
  const texts = counted(unfinished, 'text');
  if (readyWorkers === 0) {
    const waiting = unfinished === 0 ? 'Nothing waits' : `${texts} wait`;
    const reason = `${waiting}, and no worker is ready to take work.`;
    return { state: 'no-workers', message: 'No workers', reason };
  }
  const paused = LANES.filter((lane) => lanes[lane].paused);
  if (paused.length > 0) {
    const queues = paused.length === 1 ? `the ${paused[0]} queue until it is` : 'both queues until they are';
    return {
      state: 'paused',
      message: 'Paused',
      reason: `Workers take nothing from ${queues} resumed; ${texts} wait.`,
    };
  }
  if (unfinished === 0) {
    return { state: 'idle', message: 'Idle', reason: `Nothing waits; ${counted(readyWorkers, 'worker')} ready.` };
  }
  const oldest = Math.max(...LANES.map((lane) => lanes[lane].oldest_age_seconds ?? 0));
  if (finishedPerSecond > 0 || oldest <= STALLED_SECONDS) return null;
  const reason = `${texts} unfinished, the oldest for ${about(oldest)}, and none was finished lately: see the workers.`;
  return { state: 'stalled', message: 'Stalled', reason };
}

/** Judges whether texts arrive faster than they are finished. */
function judgeFlow(present: ModelPresent, figures: Figures): Judgement {
  const { arrivalRate, backlogSeconds, rate, secondsLeft, unfinished } = figures;
  const texts = counted(unfinished, 'text');
  const flow = flowInWords(figures);
  const keepingUp: Judgement = { state: 'keeping-up', message: 'Keeping up', reason: `${texts} unfinished. ${flow}` };
  if (backlogSeconds !== null && backlogSeconds < CALM_SECONDS) return keepingUp;

  const known = rate !== null && arrivalRate !== null;
  const grows = known && arrivalRate > (1 + NOISE) * rate;
  if (grows && !isOneBatch(present, unfinished, rate)) {
    return { state: 'falling-behind', message: 'Falling behind', reason: `${texts} unfinished. ${flow}` };
  }
  if (known && !grows && secondsLeft === null) return keepingUp;
  const left = secondsLeft === null ? '' : `, about ${about(secondsLeft)} left`;
  return { state: 'working', message: `Working through ${texts}${left}`, reason: flow };
}

/** Whether nearly all unfinished texts belong to one job. */
function isOneBatch({ jobs, jobTexts }: ModelPresent, unfinished: number, rate: number): boolean {
  return jobs === 1 && unfinished - jobTexts < CALM_SECONDS * rate;
}

function flowInWords({ rate, arrivalRate }: Figures): string {
  const finished = rate === null ? 'The rate of the workers is not known yet' : `Workers finish ${perSecond(rate)}`;
  return arrivalRate === null ? `${finished}.` : `${finished}; ${perSecond(arrivalRate)} keep arriving.`;
}
