import { environmentSchema } from './environment.js';
import { unknownVariables } from './unknown-variables.js';

it('says nothing of variables that are read, here or elsewhere, nor of those of others', () => {
  const known = Object.fromEntries(Object.keys(environmentSchema.shape).map((name) => [name, 'x']));
  const others = { EMBEDMILL_URL: 'x', EMBED_PUBLISH: 'x', EMBEDDING_MODEL: 'x', PATH: 'x' };
  expect(unknownVariables({ ...known, ...others })).toEqual([]);
});

it('names the nearest known variable of a mistyped one', () => {
  expect(unknownVariables({ EMBED_DEVISE: 'cpu', EMBEDMILL_API_KYE: 'x' })).toEqual([
    'EMBEDMILL_API_KYE is unknown and does nothing; did you mean EMBEDMILL_API_KEY?',
    'EMBED_DEVISE is unknown and does nothing; did you mean EMBED_DEVICE?',
  ]);
});

it('suggests nothing where nothing is near', () => {
  expect(unknownVariables({ EMBED_QQQQQQQQQQQQ: '1' })).toEqual(['EMBED_QQQQQQQQQQQQ is unknown and does nothing']);
});

it('says of each variable that was removed what holds in its place, and reads none of them', () => {
  const removed = [
    'EMBED_REDIS_PATIENCE_MS EMBED_MAX_OPEN_REQUESTS EMBED_MAX_JOB_INPUTS EMBED_COALESCE_MS EMBED_TASK_TEXTS',
    'EMBED_TASK_BYTES EMBED_TASK_ATTEMPTS EMBED_MAX_BATCH_ROWS EMBED_LOOKAHEAD_TEXTS EMBED_STALLED_CHECK_MS',
    'EMBED_CANARY_PATIENCE_MS EMBED_HEARTBEAT_MS',
  ].flatMap((line) => line.split(' '));
  expect(removed).toHaveLength(12);
  for (const name of removed) {
    expect(environmentSchema.shape).not.toHaveProperty(name);
    expect(unknownVariables({ [name]: '1' })).toEqual([expect.stringMatching(`^${name} has been removed.*: .+`)]);
  }
});
