import { jobRecordSchema, NewerFormatError, rowsOfFloats } from '#contracts';
import { newJobFields, readJobFields } from './job-record-codec.js';
import { jobOf } from './ledger.fixture.js';

/** What 0.1.0 wrote. */
const OLD: Record<string, string> = {
  id: 'job_a',
  state: 'running',
  model: 'm',
  spec: JSON.stringify({ fingerprint: 'f'.repeat(64), prompt: 'query: ', truncate: 'end' }),
  rowDimensions: '3',
  output: '{"dimensions":null,"normalize":true}',
  lane: 'bulk',
  tenant: 't',
  keyId: 'k',
  texts: '9',
  units: '2',
  done: '4',
  cached: '1',
  failed: '1',
  retriable: '1',
  tokens: '40',
  truncated: '0',
  textsPerSecond: '12.34567',
  createdAt: '1764000000000',
  startedAt: '1764000000500',
  updatedAt: '1764000001000',
  heardAt: '1764000000000',
  keptAt: '1764000000000',
  expiresAt: '1764000060000',
};

it('reads what it writes', () => {
  for (const job of [
    jobOf({ keyId: 'k', tenant: 't', prompt: 'query' }),
    jobOf({ rowBytes: { least: 8, most: 4096 }, output: { anything: ['of', { an: 'operation' }] } }),
  ]) {
    const record = readJobFields(newJobFields(job, 1_764_000_000_000, 60_000));
    expect(record).toMatchObject({
      ...job,
      state: 'receiving',
      texts: 0,
      createdAt: 1_764_000_000_000,
      startedAt: null,
      expiresAt: 1_764_000_060_000,
      error: null,
    });
    expect(jobRecordSchema.parse(record)).toEqual(record);
  }
});

it('reads a record of 0.1.0, whose rows are floats', () => {
  expect(readJobFields(OLD)).toMatchObject({
    id: 'job_a',
    state: 'running',
    spec: { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: 'query: ', truncate: 'end' },
    rowBytes: rowsOfFloats(3),
    output: { dimensions: null, normalize: true },
    keyId: 'k',
    tenant: 't',
    texts: 9,
    retriable: 1,
    textsPerSecond: 12.346,
    finishedAt: null,
  });
});

it('does not know the name of a prompt that 0.1.0 stored, only whether there is one', () => {
  const spec = { fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' };
  expect(readJobFields(OLD)).toMatchObject({ prompt: 'unknown' });
  expect(readJobFields({ ...OLD, spec: JSON.stringify(spec) })).toMatchObject({ prompt: null });
});

it('refuses a record of a newer version, and says whose', () => {
  expect(() => readJobFields({ ...OLD, v: '3' })).toThrow(NewerFormatError);
  expect(() => readJobFields({ id: 'job_a', v: '3' })).toThrow('job job_a is of format 3, written by a newer version');
});

it('takes no fields for no job', () => {
  expect(readJobFields({})).toBeNull();
});
