import type { EmbedmillClient, NewJob } from '#client';
import type { ModelObject } from '#contracts';
import { clientOf, type Connection } from '../connection.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { whole } from '../progress.js';
import { servedModel } from '../served-model.js';
import { untilSignal } from '../until-signal.js';
import { requireFormat } from '../vectors/vector-file.js';
import { EmbedOutput } from './embed-output.js';
import { EmbedProgress } from './embed-progress.js';
import { Input } from './input.js';
import { PartJob } from './part-job.js';
import { partsOf } from './parts.js';
import { type EmbedState, requireSame, type RunOptions, StateFile, type Tally } from './state-file.js';
import { type FieldNames, type InputFormat, textRecords } from './text-records.js';

/** Maximum size of one part as JSON, bytes. */
const PART_BYTES = 16 * 1024 * 1024;
/** Parts in progress at once: one is read back while the service computes the next ones. */
const PARTS_UNDER_WAY = 3;
const NOTHING: Tally = { texts: 0, failed: 0, cached: 0, tokens: 0 };

export interface EmbedOptions {
  /** A path; `-` is standard input. */
  readonly input: string;
  readonly out: string;
  readonly connection: Connection;
  /** Default: the first served model. */
  readonly model?: string | undefined;
  readonly inputType?: NewJob['input_type'];
  readonly promptName?: NewJob['prompt_name'];
  readonly instruction?: NewJob['instruction'];
  readonly truncate?: NewJob['truncate'];
  readonly dimensions?: number | undefined;
  readonly normalize?: boolean | undefined;
  readonly priority?: NewJob['priority'];
  /** Default: from the extension of the input's name. */
  readonly format?: InputFormat | undefined;
  readonly fields: FieldNames;
  readonly partTexts: number;
  /** How long to retry while the service is unavailable, ms. */
  readonly patienceMs: number;
  readonly restart: boolean;
  readonly quiet: boolean;
}

/**
 * Embeds a file through a deployment, in parts that are one job each. Progress is saved beside the output, so that the
 * same command resumes where this one stopped, for whatever reason.
 * @returns exit code: 0; 3 when texts failed; 130 when a signal stopped it
 * @throws CommandError, or EmbedmillError from the client
 */
export async function embed(options: EmbedOptions): Promise<number> {
  requireFormat(options.out);
  const run = new EmbedRun(options);
  const tally = await untilSignal(
    (signal) => run.work(signal),
    () => run.stop(),
    () => process.exit(EXIT.interrupted),
  );
  if (tally === null) return EXIT.interrupted;
  return tally.failed > 0 ? EXIT.textsFailed : EXIT.ok;
}

class EmbedRun {
  readonly #options: EmbedOptions;
  readonly #input: Input;
  readonly #format: InputFormat;
  readonly #stateFile: StateFile;
  /** Parts in progress, in input order. */
  readonly #underWay: { readonly job: PartJob; readonly readBytes: number }[] = [];
  #output: EmbedOutput | null = null;
  #progress: EmbedProgress | null = null;
  /** Bytes read of the input up to the end of the last finished part. */
  #readBytes = 0;
  /** Whether there is a state file from which the run can be resumed. */
  #kept = false;

  constructor(options: EmbedOptions) {
    this.#options = options;
    this.#input = new Input(options.input);
    this.#format = options.format ?? this.#input.format;
    this.#stateFile = new StateFile(`${options.out}.embedmill-state`);
  }

  /** @returns counts of all texts, including those of earlier runs */
  async work(signal: AbortSignal): Promise<Tally> {
    const { connection, dimensions, model: wanted, patienceMs, quiet } = this.#options;
    // Without retries: a wrong address is reported at once.
    const model = await servedModel(clientOf(connection, { signal }), wanted);
    const { dimensions: usual = 0, max_dimensions: most = usual } = model;
    if (dimensions !== undefined && dimensions > most) {
      throw new CommandError(EXIT.usage, `--dimensions ${dimensions}: ${model.id} has ${most}`);
    }
    const { earlier, state } = await this.#begin(model, dimensions ?? usual);
    const progress = new EmbedProgress(quiet, state.input?.bytes ?? 0, state.tally.texts);
    this.#progress = progress;
    if (earlier) progress.say(`going on after ${whole(state.tally.texts)} texts`);
    if (state.input === null) progress.say('standard input cannot be read twice: if interrupted, this starts over');

    // Requests to a service that is only busy are retried without a limit.
    const busyPatienceMs = patienceMs === 0 ? 0 : Infinity;
    const onWait = (reason: Error | null) => progress.waitFor(reason?.message ?? null);
    const client = clientOf(connection, { signal, retry: { patienceMs, busyPatienceMs, onWait } });
    const last = await this.#embedRest(client, state, model.id);
    if (last.tally.texts === 0) throw new CommandError(EXIT.error, `${this.#options.input} holds no text`);
    await this.#output!.finish();
    await this.#stateFile.remove();
    this.#kept = false;
    const { errorsName, name } = this.#output!;
    const failed = last.tally.failed === 0 ? '' : `, ${whole(last.tally.failed)} failed: ${errorsName}`;
    progress.close(`${name}: ${progress.summary(last.tally)}${failed}`);
    return last.tally;
  }

  /** Called however the run ended. Jobs of a resumable run are not cancelled: the service goes on computing them. */
  async stop(): Promise<void> {
    this.#progress?.close(this.#kept ? 'what is finished is kept: the same command goes on from there' : undefined);
    if (!this.#input.isStandardInput) {
      await this.#output?.close();
      return;
    }
    process.stdin.destroy();
    const client = clientOf(this.#options.connection);
    for (const { job } of this.#underWay) await job.cancel(client);
    await this.#output?.remove();
  }

  /** The state in which an earlier run stopped, else the initial state. */
  async #begin(model: ModelObject, dimensions: number): Promise<{ earlier: boolean; state: EmbedState }> {
    const input = this.#input.isStandardInput ? null : await this.#input.identity();
    const now = { input, options: this.#runOptions(model.id), fingerprint: model.fingerprint };
    const earlier = input === null || this.#options.restart ? null : await this.#stateFile.read();
    if (earlier !== null) requireSame(earlier, now, this.#stateFile.path);
    this.#output = new EmbedOutput(this.#options.out, dimensions);
    await this.#output.open(earlier);
    if (earlier !== null) return { earlier: true, state: earlier };
    const start = { version: 1 as const, dimensions, tally: NOTHING, inputEnd: 0, submitted: [] };
    return { earlier: false, state: { ...now, ...start, ...(await this.#output.mark()) } };
  }

  async #embedRest(client: EmbedmillClient, first: EmbedState, model: string): Promise<EmbedState> {
    const { fields, partTexts } = this.#options;
    const records = textRecords(this.#format, fields, first.inputEnd, (offset) => this.#input.chunks(offset));
    const options = this.#jobOptions(model);
    let state = first;
    for await (const part of partsOf(records, first.tally.texts, { texts: partTexts, bytes: PART_BYTES })) {
      const known = first.submitted.find((other) => other.first === part.first) ?? null;
      const isSame = known !== null && known.end === part.end && known.texts === part.texts.length;
      const job = new PartJob(part, client, options, isSame ? known : null);
      this.#underWay.push({ job, readBytes: this.#input.bytesRead });
      if (!isSame) {
        await job.submit();
        state = await this.#note(state);
      }
      if (this.#underWay.length === PARTS_UNDER_WAY) state = await this.#finishPart(client, state, model);
    }
    while (this.#underWay.length > 0) state = await this.#finishPart(client, state, model);
    return state;
  }

  /** Reads back the oldest part in progress, and saves that it is finished. */
  async #finishPart(client: EmbedmillClient, before: EmbedState, model: string): Promise<EmbedState> {
    const output = this.#output!;
    const { job, readBytes } = this.#underWay[0]!;
    const { part } = job;
    const { tally } = before;
    const rows = job.rows(
      ({ counts }) => {
        const texts = counts.done + counts.failed;
        const sofar = { ...tally, texts: tally.texts + texts, cached: tally.cached + counts.cached };
        this.#progress?.show(sofar, this.#readBytes + ((readBytes - this.#readBytes) * texts) / part.texts.length);
      },
      async () => {
        await output.open(before);
        await this.#note(before);
      },
    );
    let next = await rows.next();
    for (; next.done !== true; next = await rows.next()) await output.append(next.value);

    // One file must not mix vectors of two model versions: a part of another version is not saved as finished.
    const { fingerprint } = await servedModel(client, model);
    if (fingerprint !== before.fingerprint) {
      throw new CommandError(EXIT.error, `${model} has been replaced meanwhile; --restart embeds with the new one`);
    }
    const { cached, failed, tokens } = next.value;
    this.#underWay.shift();
    this.#readBytes = readBytes;
    return this.#note({
      ...before,
      ...(await output.mark()),
      inputEnd: part.end,
      tally: {
        texts: tally.texts + part.texts.length,
        failed: tally.failed + failed,
        cached: tally.cached + cached,
        tokens: tally.tokens + tokens,
      },
    });
  }

  /** Saves the state with the parts in progress, except when the input is standard input. */
  async #note(state: EmbedState): Promise<EmbedState> {
    const submitted = this.#underWay.map(({ job }) => job.submitted).filter((part) => part !== null);
    const noted = { ...state, submitted };
    if (this.#input.isStandardInput) return noted;
    await this.#stateFile.write(noted);
    this.#kept = true;
    return noted;
  }

  #jobOptions(model: string): Omit<NewJob, 'input'> {
    const { dimensions, inputType, instruction, normalize, priority, promptName, truncate } = this.#options;
    const prompt = { input_type: inputType, prompt_name: promptName, instruction };
    return { model, ...prompt, truncate, dimensions, normalize, priority };
  }

  /** All options that decide which text gets which vector. */
  #runOptions(model: string): RunOptions {
    const { dimensions, fields, inputType, instruction, normalize, promptName, truncate } = this.#options;
    return {
      '--model': model,
      '--input-type': inputType ?? null,
      '--prompt-name': promptName ?? null,
      '--instruction': instruction ?? null,
      '--truncate': truncate ?? null,
      '--dimensions': dimensions ?? null,
      '--normalize': normalize ?? null,
      '--format': this.#format,
      '--field': fields.text ?? null,
      '--id': fields.id ?? null,
    };
  }
}
