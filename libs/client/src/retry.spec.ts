import { apiErrorOf } from './api-error.js';
import { EmbedmillConnectionError, EmbedmillProtocolError } from './errors.js';
import { mayPass, Patience } from './retry.js';

const ASKED = { method: 'GET', path: '/', url: 'http://host', keySent: false };
const api = (status: number, { after, code = 'a_code' }: { after?: number; code?: string } = {}) =>
  apiErrorOf(
    { status, headers: new Headers(after === undefined ? {} : { 'retry-after': String(after) }) },
    JSON.stringify({ error: { code } }),
    ASKED,
  );
const away = new EmbedmillConnectionError({ url: 'http://host', reason: 'x', answered: false, cause: undefined });

describe('mayPass', () => {
  it.each([
    ['always', [429, 500, 502, 503, 504]],
    ['refused', [429, 503]],
    ['never', []],
  ] as const)('%s: statuses that may pass', (repeat, statuses) => {
    const all = [301, 400, 401, 403, 404, 409, 410, 413, 415, 429, 500, 501, 502, 503, 504];
    expect(all.filter((status) => mayPass(api(status), repeat))).toEqual(statuses);
  });

  it('sends nothing twice behind a broken connection unless that does no harm', () => {
    expect([mayPass(away, 'always'), mayPass(away, 'refused'), mayPass(away, 'never')]).toEqual([true, false, false]);
  });

  it('gives up on what will be the same the next time', () => {
    expect(mayPass(api(500, { code: 'inference_failed' }), 'always')).toBe(false);
    expect(mayPass(new EmbedmillProtocolError('http://host'), 'always')).toBe(false);
    expect(mayPass(new TypeError('a fault of the program'), 'always')).toBe(false);
  });
});

describe('Patience', () => {
  it('doubles its pauses up to 15 s', () => {
    const patience = new Patience({ patienceMs: 1e9 });
    const pauses = Array.from({ length: 8 }, () => patience.pauseAfter(away, 0, 1));
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  });

  it('spreads them over a quarter', () => {
    expect(new Patience({}).pauseAfter(away, 0, 0)).toBe(187.5);
  });

  it('waits as long as Retry-After says', () => {
    const patience = new Patience({});
    expect(patience.pauseAfter(api(503, { after: 7 }), 0, 1)).toBe(7000);
    expect(patience.pauseAfter(api(503, { after: 0 }), 0, 1)).toBe(500);
  });

  it('ends when a pause would be longer than it lasts', () => {
    const patience = new Patience({ patienceMs: 10_000 });
    expect(patience.pauseAfter(away, 0, 1)).toBe(250);
    expect(patience.pauseAfter(away, 9500, 1)).toBe(500);
    expect(patience.pauseAfter(away, 9501, 1)).toBeNull();
    expect(new Patience({ patienceMs: 10_000 }).pauseAfter(api(503, { after: 11 }), 0, 1)).toBeNull();
    expect(new Patience({ patienceMs: 0 }).pauseAfter(away, 0, 0)).toBeNull();
  });

  it('has another limit for a service that is only busy, and starts again when that changes', () => {
    const patience = new Patience({ patienceMs: 1000, busyPatienceMs: Infinity });
    expect(patience.pauseAfter(api(429), 0, 1)).toBe(250);
    expect(patience.pauseAfter(api(429), 1e7, 1)).toBe(500);
    expect(patience.pauseAfter(away, 2e7, 1)).toBe(1000);
    expect(patience.pauseAfter(away, 2e7 + 1000, 1)).toBeNull();
    expect(new Patience({ patienceMs: 0 }).pauseAfter(api(429), 0, 1)).toBeNull();
  });
});
