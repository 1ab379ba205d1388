import { InteractiveAdmission } from './admission.js';

let now = 0;

function refusal(waiting: InteractiveAdmission, texts: number): unknown {
  try {
    waiting.enter('m', null, texts)(true);
    return null;
  } catch (error) {
    return error;
  }
}

it('takes texts up to the limit, for each model by itself', () => {
  const waiting = new InteractiveAdmission(10);
  const leave = waiting.enter('m', null, 6);
  expect(refusal(waiting, 5)).toMatchObject({ status: 429, code: 'too_many_waiting' });
  waiting.enter('other', null, 10);
  const leaveToo = waiting.enter('m', null, 4);
  expect(waiting.of('m')).toBe(10);
  leave(true);
  leaveToo(false);
  expect(waiting.of('m')).toBe(0);
});

it('takes a request over the limit when nobody waits, as it could never be taken else', () => {
  expect(refusal(new InteractiveAdmission(10), 11)).toBeNull();
});

it('lets a key in that has less than its share, whatever others have', () => {
  const waiting = new InteractiveAdmission(10);
  waiting.enter('m', 'greedy', 10);
  expect(() => waiting.enter('m', 'greedy', 1)).toThrow('EMBED_MAX_WAITING_TEXTS');
  const leave = waiting.enter('m', 'modest', 5);
  expect(() => waiting.enter('m', 'modest', 1)).toThrow('EMBED_MAX_WAITING_TEXTS');
  expect(() => waiting.enter('m', 'third', 4)).toThrow('EMBED_MAX_WAITING_TEXTS');
  leave(true);
  waiting.enter('m', 'third', 4);
  expect(waiting.of('m')).toBe(14);
});

it('tells when to come again by the rate of answers', () => {
  const waiting = new InteractiveAdmission(100, () => now);
  waiting.enter('m', null, 50)(true);
  waiting.enter('m', null, 100);
  // 50 texts in 10 s: 5 a second, and 20 too many.
  expect(refusal(waiting, 20)).toMatchObject({ retryAfter: 4 });
  // Those that went without an answer say nothing about the rate, and old answers are forgotten.
  now += 10_001;
  const other = new InteractiveAdmission(100, () => now);
  other.enter('m', null, 50)(false);
  other.enter('m', null, 100);
  for (const one of [waiting, other]) expect(refusal(one, 20)).toMatchObject({ retryAfter: 5 });
});
