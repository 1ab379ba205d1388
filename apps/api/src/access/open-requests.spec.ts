import { ANYBODY, type Caller } from '#contracts';
import { OpenRequests } from './open-requests.js';

const callerOf = (keyId: string | null): Caller => ({ ...ANYBODY, keyId });
const [caller, other] = [callerOf('key'), callerOf('another')];
const MOST = 1024;
const tooMany = expect.objectContaining({ status: 429, code: 'too_many_open_requests', retryAfter: 1 });

function refusalOf(open: () => void): unknown {
  try {
    open();
  } catch (error) {
    return error;
  }
  return null;
}

it('lets a key have 1024 requests open, and another one as many', () => {
  const requests = new OpenRequests();
  for (let n = 0; n < MOST; n++) requests.enter(caller);
  expect(refusalOf(() => requests.enter(caller))).toEqual(tooMany);
  expect(refusalOf(() => requests.enter(other))).toBeNull();
});

it('has room again for each that ended', () => {
  const requests = new OpenRequests(2);
  const [first] = [requests.enter(caller), requests.enter(caller)];
  expect(refusalOf(() => requests.enter(caller))).toEqual(tooMany);
  first();
  expect(refusalOf(() => requests.enter(caller))).toBeNull();
  expect(refusalOf(() => requests.enter(caller))).toEqual(tooMany);
});

it('counts all clients together where no keys are asked for', () => {
  const requests = new OpenRequests(1);
  requests.enter(callerOf(null));
  expect(refusalOf(() => requests.enter(callerOf(null)))).toEqual(tooMany);
  expect(String(refusalOf(() => requests.enter(callerOf(null))))).toContain('Clients have 1 requests open');
});
