import { type JobRecord, jobObjectSchema, rowsOfFloats } from '#contracts';
import { OUTPUT_SHAPES } from '../output/shapes.js';
import { newJobId } from './job-id.js';
import { etaSeconds, retryAfter, viewJob } from './job-view.js';

const view = (job: JobRecord) => viewJob(job, OUTPUT_SHAPES);

const RUNNING: JobRecord = {
  id: 'job_1',
  state: 'running',
  model: 'tiny',
  spec: { operation: 'embed', fingerprint: 'f'.repeat(16), prompt: 'q: ', truncate: 'end' },
  prompt: 'query',
  rowBytes: rowsOfFloats(384),
  output: { dimensions: null, normalize: true },
  lane: 'bulk',
  tenant: '',
  keyId: null,
  texts: 1000,
  units: 20,
  done: 390,
  cached: 100,
  failed: 10,
  retriable: 0,
  tokens: 4000,
  truncated: 3,
  textsPerSecond: 40,
  tokensPerSecond: 400.06,
  createdAt: 1_700_000_000_900,
  startedAt: 1_700_000_001_100,
  finishedAt: null,
  updatedAt: 1_700_000_002_000,
  expiresAt: 1_700_086_400_000,
  error: null,
};

describe('a job as clients see it', () => {
  it('has counts that add up, times in seconds and links', () => {
    expect(jobObjectSchema.parse(view(RUNNING))).toEqual({
      id: 'job_1',
      object: 'job',
      state: 'running',
      operation: 'embed',
      model: 'tiny',
      priority: 'normal',
      prompt: 'query',
      counts: { texts: 1000, done: 390, cached: 100, failed: 10, pending: 600, truncated: 3 },
      progress: 0.4,
      tokens: 4000,
      rate: { texts_per_second: 40, tokens_per_second: 400.1 },
      eta_seconds: 15,
      dimensions: 384,
      normalize: true,
      created_at: 1_700_000_000,
      started_at: 1_700_000_001,
      finished_at: null,
      expires_at: 1_700_086_400,
      error: null,
      links: { self: '/v1/jobs/job_1', results: '/v1/jobs/job_1/results' },
    });
  });

  it('has the dimensions of its results, not of the stored rows', () => {
    expect(view({ ...RUNNING, output: { dimensions: 64, normalize: false } })).toMatchObject({
      dimensions: 64,
      normalize: false,
    });
  });

  it('has no progress before its first text', () => {
    const empty = { ...RUNNING, state: 'receiving', texts: 0, done: 0, failed: 0 } as const;
    expect(view(empty)).toMatchObject({ progress: 0, counts: { pending: 0 } });
  });
});

describe('the estimate', () => {
  it('is what remains at the measured rate', () => {
    expect(etaSeconds(RUNNING)).toBe(15);
    expect(retryAfter(RUNNING)).toBe(15);
  });

  it('is unknown until a rate is measured', () => {
    const unmeasured = { ...RUNNING, textsPerSecond: 0, tokensPerSecond: 0 };
    expect(view(unmeasured)).toMatchObject({ rate: null, eta_seconds: null });
    expect(retryAfter(unmeasured)).toBe(2);
  });

  it('has nothing to say about a final job', () => {
    for (const state of ['completed', 'failed', 'cancelled'] as const) {
      expect(etaSeconds({ ...RUNNING, state })).toBeNull();
      expect(retryAfter({ ...RUNNING, state })).toBeNull();
    }
  });

  it('asks a client to come back after 1 to 60 whole seconds', () => {
    expect(retryAfter({ ...RUNNING, textsPerSecond: 1 })).toBe(60);
    expect(retryAfter({ ...RUNNING, textsPerSecond: 599 })).toBe(1);
    expect(retryAfter({ ...RUNNING, texts: 400 })).toBe(1);
  });
});

describe('a job id', () => {
  it('sorts by time, is unique and may be part of a BullMQ id', () => {
    const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map((now) => newJobId(now));
    expect([...ids].sort()).toEqual(ids);
    expect(newJobId(1)).not.toBe(newJobId(1));
    expect(ids[0]).toMatch(/^job_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });
});
