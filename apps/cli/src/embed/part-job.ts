import { EmbedmillApiError, type EmbedmillClient, type NewJob } from '#client';
import type { JobObject } from '#contracts';
import { CommandError, EXIT } from '../exit-codes.js';
import { type JobOutcome, jobOutcomes } from '../jobs/job-outcomes.js';
import type { Fault, VectorRow } from '../vectors/vector-row.js';
import type { Part } from './parts.js';
import type { SubmittedPart } from './state-file.js';

/** Maximum number of uploads of one part, not counting those that the service refused. */
const SENDS = 5;

/** What a finished part adds to the tally. */
export interface PartResult {
  readonly failed: number;
  readonly cached: number;
  readonly tokens: number;
}

/** One part as a job: uploads it, waits for it, and reads its rows. */
export class PartJob {
  readonly part: Part;
  readonly #client: EmbedmillClient;
  readonly #options: Omit<NewJob, 'input'>;
  readonly #refused: Map<number, Fault>;
  #jobId: string | null;
  #sends = 0;

  /** @param submitted the part's state from an earlier run; null: not submitted yet */
  constructor(part: Part, client: EmbedmillClient, options: Omit<NewJob, 'input'>, submitted: SubmittedPart | null) {
    this.part = part;
    this.#client = client;
    this.#options = options;
    this.#jobId = submitted?.jobId ?? null;
    this.#refused = new Map(submitted?.refused);
  }

  /** The part's state for the state file; null while it has no job. */
  get submitted(): SubmittedPart | null {
    const { end, first, texts } = this.part;
    if (this.#jobId === null) return null;
    return { first, texts: texts.length, end, jobId: this.#jobId, refused: [...this.#refused] };
  }

  /**
   * Uploads the texts. When the service refuses a text (its error names the line), uploads the rest again without it.
   * @throws EmbedmillError for any other error
   */
  async submit(): Promise<void> {
    for (;;) {
      const places = this.#places();
      if (places.length === 0) return;
      this.#sends += 1;
      try {
        const input = places.map((place) => this.part.texts[place]!.text as string);
        this.#jobId = (await this.#client.jobs.create({ ...this.#options, input })).id;
        return;
      } catch (error) {
        if (!(error instanceof EmbedmillApiError) || error.status !== 400) throw error;
        const line = /^line (\d+)$/.exec(error.param ?? '')?.[1];
        const place = places[Number(line) - 1];
        if (place === undefined) throw error;
        this.#refuse(place, error);
        // Nothing was lost: a shorter part is sent.
        this.#sends -= 1;
      }
    }
  }

  /**
   * Waits for the job and yields its rows, in order. If the service has lost the job, uploads the part again, calls
   * `onSentAgain`, and yields all rows again.
   * @param onStatus called with every status of the job
   */
  async *rows(
    onStatus: (job: JobObject) => void,
    onSentAgain: () => Promise<void>,
  ): AsyncGenerator<readonly VectorRow[], PartResult> {
    for (;;) {
      if (this.#jobId === null) {
        if (this.#places().length > 0) throw new Error('the part was not sent');
        yield this.part.texts.map((_, place) => this.#row(place, null));
        return { failed: this.part.texts.length, cached: 0, tokens: 0 };
      }
      try {
        const job = await this.#client.jobs.wait(this.#jobId, { onStatus });
        if (job.state === 'completed') return yield* this.#rowsOf(job);
        // The job of an earlier run may have been cancelled when that run was stopped: it is uploaded again.
        if (job.state === 'cancelled' && this.#sends > 0) throw cancelled(job);
        this.#requireSends(job.error?.message ?? `it is ${job.state}`);
      } catch (error) {
        const isLost = error instanceof EmbedmillApiError && (error.status === 404 || error.status === 410);
        if (!isLost) throw error;
        this.#requireSends(error.message);
      }
      await this.submit();
      await onSentAgain();
    }
  }

  /** Cancels the job of a run that has ended; a failure to cancel is ignored. */
  async cancel(client: EmbedmillClient): Promise<void> {
    if (this.#jobId !== null) await client.jobs.cancel(this.#jobId).catch(() => {});
  }

  async *#rowsOf(job: JobObject): AsyncGenerator<readonly VectorRow[], PartResult> {
    const places = this.#places();
    let next = 0;
    let asked = 0;
    /** The rows up to `end`, including those of texts that were not sent. */
    const rowsUntil = (end: number, outcomes: ReadonlyMap<number, JobOutcome>) => {
      const rows: VectorRow[] = [];
      for (; next < end; next++) rows.push(this.#row(next, outcomes.get(next)?.vector ?? null));
      return rows;
    };
    for await (const outcomes of jobOutcomes(this.#client, job.id)) {
      const byPlace = new Map(outcomes.map((outcome) => [places[outcome.index] ?? -1, outcome]));
      for (const { vector } of outcomes) {
        if (vector instanceof Float32Array && vector.length !== job.dimensions) {
          throw new CommandError(EXIT.error, `job ${job.id} gave ${vector.length} floats, not ${job.dimensions}`);
        }
      }
      asked += outcomes.length;
      yield rowsUntil((places[asked - 1] ?? -1) + 1, byPlace);
    }
    if (asked !== places.length) {
      throw new CommandError(EXIT.error, `job ${job.id} gave ${asked} results for ${places.length} texts`);
    }
    yield rowsUntil(this.part.texts.length, new Map());
    const { cached, failed } = job.counts;
    return { failed: failed + this.part.texts.length - places.length, cached, tokens: job.tokens };
  }

  #row(place: number, vector: VectorRow['vector'] | null): VectorRow {
    const { id, text } = this.part.texts[place]!;
    const fault = this.#refused.get(place) ?? (typeof text === 'string' ? null : text);
    const found = fault ?? vector;
    if (found === null) throw new Error(`text ${place} of the part has no result`);
    return { index: this.part.first + place, id, vector: found };
  }

  /** Indexes within the part of the texts that are sent, in upload order. */
  #places(): number[] {
    const places: number[] = [];
    for (const [place, { text }] of this.part.texts.entries()) {
      if (typeof text === 'string' && !this.#refused.has(place)) places.push(place);
    }
    return places;
  }

  /** Records a refused text. If it is too large, texts at least as long are refused without asking the service. */
  #refuse(place: number, { code, message }: EmbedmillApiError): void {
    const fault = { code, message: message.replace(/^Line \d+/, 'The text') };
    this.#refused.set(place, fault);
    if (code !== 'text_too_large') return;
    const bytes = Buffer.byteLength(this.part.texts[place]!.text as string);
    for (const other of this.#places()) {
      const another = this.part.texts[other]!.text as string;
      // A UTF-16 code unit is at most 3 bytes of UTF-8, so the bytes of short texts need not be counted.
      if (another.length * 3 >= bytes && Buffer.byteLength(another) >= bytes) this.#refused.set(other, fault);
    }
  }

  #requireSends(reason: string): void {
    if (this.#sends < SENDS) return;
    throw new CommandError(EXIT.error, `texts ${this.part.first} and on were sent ${SENDS} times in vain: ${reason}`);
  }
}

function cancelled({ id }: JobObject): CommandError {
  return new CommandError(EXIT.error, `job ${id} was cancelled by somebody; the same command sends its texts again`);
}
