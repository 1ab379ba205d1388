import { isFinal, type JobRecord, type JobState, type Lane } from '#contracts';
import type { JobIndex, ListPlace } from './job-index.js';
import type { JobLedger } from './job-ledger.js';

/** Ids read at a time when listing, and maximum number read for one page. */
const LIST_CHUNK = 100;
const LIST_SCAN = 5000;

export interface JobFilter {
  /** `nextCursor` of the previous page. */
  readonly cursor?: string | undefined;
  readonly limit: number;
  readonly state?: JobState | undefined;
  readonly model?: string | undefined;
  /** Id of the API key that sent the job. */
  readonly keyId?: string | undefined;
  /** Substring of the job's id. */
  readonly idPart?: string | undefined;
  /** `''` or absent: jobs of all tenants. */
  readonly tenant?: string;
}

/** Unfinished jobs of a model in one lane, and their texts that are neither done nor failed. */
export interface ActiveTexts {
  readonly model: string;
  readonly lane: Lane;
  jobs: number;
  texts: number;
  /** `texts` by API key; `''` for jobs that were sent without one. */
  readonly byKey: Map<string, number>;
}

/** Queries over many jobs. */
export class JobList {
  readonly #index: JobIndex;
  readonly #ledger: JobLedger;

  constructor(index: JobIndex, ledger: JobLedger) {
    this.#index = index;
    this.#ledger = ledger;
  }

  /** Newest first. With a filter, a page may have fewer than `limit` jobs, or none, and still have a `nextCursor`. */
  async page({ cursor, limit, tenant = '', ...filter }: JobFilter): Promise<{
    jobs: JobRecord[];
    nextCursor: string | null;
  }> {
    const jobs: JobRecord[] = [];
    let place = placeOf(cursor);
    for (let seen = 0; seen < LIST_SCAN; seen += LIST_CHUNK) {
      const { ids, more } = await this.#index.page(tenant, place, LIST_CHUNK);
      const wanted = ids.filter(([id]) => id.includes(filter.idPart ?? ''));
      const records = await Promise.all(wanted.map(([id]) => this.#ledger.get(id)));
      const gone = wanted.filter((_, n) => records[n] === null).map(([id]) => id);
      await this.#index.forget(tenant, gone);
      for (const [n, [id, at]] of wanted.entries()) {
        const job = records[n];
        if (!job || !matches(job, filter)) continue;
        jobs.push(job);
        if (jobs.length === limit) return { jobs, nextCursor: `${at}:${id}` };
      }
      const last = ids.at(-1);
      if (last !== undefined) place = { after: last[0], from: String(last[1]) };
      if (!more) return { jobs, nextCursor: null };
    }
    return { jobs, nextCursor: `${place.from}:${place.after}` };
  }

  /** Unfinished texts, summed over unfinished jobs by model and lane. */
  async activeTexts(): Promise<ActiveTexts[]> {
    const ids = await this.#index.active();
    const records = await Promise.all(ids.map((id) => this.#ledger.progress(id)));
    const sums = new Map<string, ActiveTexts>();
    const over: string[] = [];
    for (const [n, job] of records.entries()) {
      if (job === null || isFinal(job.state)) {
        over.push(ids[n]!);
        continue;
      }
      const { keyId, lane, model, unfinished } = job;
      const at = `${lane} ${model}`;
      const sum = sums.get(at) ?? { model, lane, jobs: 0, texts: 0, byKey: new Map<string, number>() };
      sum.jobs++;
      sum.texts += unfinished;
      sum.byKey.set(keyId, (sum.byKey.get(keyId) ?? 0) + unfinished);
      sums.set(at, sum);
    }
    await this.#index.leaveActive(over);
    return [...sums.values()];
  }
}

function matches(job: JobRecord, { state, model, keyId }: Omit<JobFilter, 'cursor' | 'limit'>): boolean {
  return (
    (state === undefined || job.state === state) &&
    (model === undefined || job.model === model) &&
    (keyId === undefined || job.keyId === keyId)
  );
}

function placeOf(cursor: string | undefined): ListPlace {
  const cut = cursor?.indexOf(':') ?? -1;
  if (cursor === undefined || cut < 0) return { from: '+inf', after: null };
  return { from: cursor.slice(0, cut), after: cursor.slice(cut + 1) };
}
