import { InputAbort } from './input-abort.js';

it('tells its listeners once, and none that left or came too late', () => {
  const abort = new InputAbort();
  const told: string[] = [];
  const listener = (name: string) => () => void told.push(name);
  const gone = listener('gone');
  abort.addEventListener('abort', listener('first'));
  abort.addEventListener('abort', gone);
  abort.addEventListener('abort', listener('second'));
  abort.removeEventListener('abort', gone);
  expect(abort.aborted).toBe(false);

  abort.abort();
  abort.abort();
  abort.addEventListener('abort', listener('late'));
  abort.abort();
  expect(abort.aborted).toBe(true);
  expect(told).toEqual(['first', 'second']);
});
