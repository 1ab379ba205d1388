/** What a client does with a job, over plain HTTP: upload, wait, read every vector back. */
export interface JobRun {
  /** From the first byte up to the last byte down. */
  readonly seconds: number;
  readonly cached: number;
  readonly tokens: number;
}

/** @throws when a text fails or a vector is missing: a figure for less than the whole work would be none. */
export async function embedAsJob(
  url: string,
  model: string,
  texts: readonly string[],
  dimensions: number,
): Promise<JobRun> {
  const began = performance.now();
  const id = await acceptJob(url, model, texts);
  const job = await finishJob(url, id);
  const results = await fetch(`${url}/v1/jobs/${id}/results?format=f32`);
  const bytes = (await results.arrayBuffer()).byteLength;
  const seconds = (performance.now() - began) / 1000;
  if (job.counts.done !== texts.length || bytes !== texts.length * dimensions * 4) {
    throw new Error(`the job did not return every vector: ${JSON.stringify(job)}, ${bytes} bytes`);
  }
  return { seconds, cached: job.counts.cached, tokens: job.tokens };
}

/** Uploads texts as NDJSON. @returns the job's id */
export async function acceptJob(url: string, model: string, texts: readonly string[]): Promise<string> {
  const accepted = await fetch(`${url}/v1/jobs?model=${encodeURIComponent(model)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: texts.map((text) => JSON.stringify(text)).join('\n'),
  });
  if (accepted.status !== 202) throw new Error(`POST /v1/jobs: ${accepted.status} ${await accepted.text()}`);
  return ((await accepted.json()) as JobView).id;
}

/** Waits until the job has ended. @throws when not as it should */
export async function finishJob(url: string, id: string): Promise<JobView> {
  let job = await readJob(url, id);
  while (job.finished_at === null) job = await readJob(url, id, 60);
  if (job.state !== 'completed') throw new Error(`the job did not complete: ${JSON.stringify(job)}`);
  return job;
}

/** @param waitSeconds for the job's end, at most; 0 asks once */
export async function readJob(url: string, id: string, waitSeconds = 0): Promise<JobView> {
  return (await (await fetch(`${url}/v1/jobs/${id}?wait=${waitSeconds}`)).json()) as JobView;
}

export async function cancelJob(url: string, id: string): Promise<void> {
  const response = await fetch(`${url}/v1/jobs/${id}`, { method: 'DELETE' });
  if (!response.ok) throw new Error(`DELETE /v1/jobs/${id}: ${response.status} ${await response.text()}`);
}

/** A job as the API shows it. */
export interface JobView {
  readonly id: string;
  readonly state: string;
  readonly finished_at: number | null;
  readonly tokens: number;
  readonly counts: { readonly done: number; readonly cached: number };
}
