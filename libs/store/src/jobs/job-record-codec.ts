import { type JobRecord, jobRecordSchema, NewerFormatError, rowsOfFloats, SCHEMA_VERSION } from '#contracts';

/** The members of a job record that its creator provides. Without `prompt`, its spec has no prompt. */
export type NewJob = Pick<JobRecord, 'id' | 'model' | 'spec' | 'rowBytes' | 'output' | 'lane' | 'tenant' | 'keyId'> &
  Partial<Pick<JobRecord, 'prompt'>>;

/** Initial fields of a job's hash, as strings; times are epoch ms. The Lua scripts write the other fields later. */
export function newJobFields(job: NewJob, now: number, ttlMs: number): Record<string, string> {
  return {
    v: String(SCHEMA_VERSION),
    id: job.id,
    state: 'receiving',
    model: job.model,
    spec: JSON.stringify(job.spec),
    ...(typeof job.prompt === 'string' ? { prompt: job.prompt } : {}),
    // Also in the spec; stored separately for the Lua scripts.
    fingerprint: job.spec.fingerprint,
    rowBytes: JSON.stringify(job.rowBytes),
    output: JSON.stringify(job.output),
    lane: job.lane,
    tenant: job.tenant,
    ...(job.keyId === null ? {} : { keyId: job.keyId }),
    texts: '0',
    units: '0',
    done: '0',
    cached: '0',
    failed: '0',
    tokens: '0',
    truncated: '0',
    createdAt: String(now),
    updatedAt: String(now),
    heardAt: String(now),
    keptAt: String(now),
    expiresAt: String(now + ttlMs),
  };
}

/**
 * Parses the hash of a job.
 * @returns null when the hash is empty: no such job, or expired
 * @throws NewerFormatError
 */
export function readJobFields(fields: Readonly<Record<string, string>>): JobRecord | null {
  if (fields['id'] === undefined) return null;
  const version = Number(fields['v'] ?? 1);
  if (version > SCHEMA_VERSION) throw new NewerFormatError(`job ${fields['id']}`, version);
  const number = (name: string, absent: number | null) => {
    const value = fields[name];
    return value === undefined ? absent : Math.round(Number(value) * 1000) / 1000;
  };
  const spec = JSON.parse(fields['spec'] ?? 'null') as { prompt?: string } | null;
  return jobRecordSchema.parse({
    id: fields['id'],
    state: fields['state'],
    model: fields['model'],
    spec,
    // 0.1.0 stored the prompt without its name.
    prompt: fields['prompt'] ?? ((spec?.prompt ?? '') === '' ? null : 'unknown'),
    // 0.1.0 had rows of floats only, and stored their number.
    rowBytes:
      fields['rowBytes'] === undefined ? rowsOfFloats(Number(fields['rowDimensions'])) : JSON.parse(fields['rowBytes']),
    output: JSON.parse(fields['output'] ?? 'null'),
    lane: fields['lane'],
    tenant: fields['tenant'] ?? '',
    keyId: fields['keyId'] ?? null,
    texts: number('texts', 0),
    units: number('units', 0),
    done: number('done', 0),
    cached: number('cached', 0),
    failed: number('failed', 0),
    retriable: number('retriable', 0),
    tokens: number('tokens', 0),
    truncated: number('truncated', 0),
    textsPerSecond: number('textsPerSecond', 0),
    tokensPerSecond: number('tokensPerSecond', 0),
    createdAt: number('createdAt', null),
    startedAt: number('startedAt', null),
    finishedAt: number('finishedAt', null),
    updatedAt: number('updatedAt', null),
    expiresAt: number('expiresAt', null),
    error: fields['error'] === undefined ? null : JSON.parse(fields['error']),
  });
}
