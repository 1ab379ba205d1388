import fc from 'fast-check';
import { BootError } from '#contracts';
import { hostsOf, parseRedisUrl } from './redis-url.js';

const plain = { username: undefined, password: undefined, master: null, db: 0, tls: false };

it.each([
  ['redis://127.0.0.1', { ...plain, kind: 'single', nodes: [{ host: '127.0.0.1', port: 6379 }] }],
  [
    'rediss://me:p%40ss@redis.example:6380/3',
    {
      kind: 'single',
      nodes: [{ host: 'redis.example', port: 6380 }],
      username: 'me',
      password: 'p@ss',
      master: null,
      db: 3,
      tls: true,
    },
  ],
  ['redis://[::1]:6380/?family=6', { ...plain, kind: 'single', nodes: [{ host: '::1', port: 6380 }] }],
  [
    'redis+sentinel://:p@ss@a,b:1/main/2',
    {
      ...plain,
      kind: 'sentinel',
      nodes: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 1 },
      ],
      password: 'p@ss',
      master: 'main',
      db: 2,
    },
  ],
  [
    'rediss+cluster://a:7000,[fe80::1]',
    {
      ...plain,
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'fe80::1', port: 6379 },
      ],
      tls: true,
    },
  ],
])('reads %s', (url, parsed) => {
  expect(parseRedisUrl(url)).toEqual(parsed);
});

it.each([
  ['http://a', /is none of redis:\/\/HOST:PORT\/DB, redis\+sentinel:.*, redis\+cluster:|or redis\+cluster:/],
  ['redis://a,b', /several hosts: write redis\+cluster:\/\//],
  ['redis+sentinel://a:1,b:2', /names no master/],
  ['redis+sentinel://a//1', /names no master/],
  ['redis+sentinel://a/main/x', /database number/],
  ['redis+cluster://a,/', /as host 2/],
  ['redis+cluster://a:70000', /as host 1/],
  ['redis+cluster://a/1', /number 0 only/],
  ['redis+cluster://a?family=6', /no options/],
  ['redis+cluster://u:50%@a', /"%"/],
  ['redis://', /as host 1/],
])('refuses %s, and says why', (url, why) => {
  expect(() => parseRedisUrl(url)).toThrow(
    expect.objectContaining({ name: 'BootError', message: expect.stringMatching(why) }),
  );
});

it('never shows a password, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('redis', 'rediss', 'redis+sentinel', 'redis+cluster', 'radish'),
      fc.constantFrom('', '/', '#', '?', '@', ',', '%', ':', '/main', ' '),
      fc.constantFrom('', '/', '#', '?', '@', ',', '%', ':', '@host/main', '@host:1'),
      (scheme, before, after) => {
        const url = `${scheme}://user:${before}hunter2${after}`;
        const shown = (() => {
          try {
            // With an "@" behind it, it is a password; otherwise it reads as a host, which may be shown.
            return after.startsWith('@host') ? hostsOf(url) : parseRedisUrl(url).kind;
          } catch (error) {
            expect(error).toBeInstanceOf(BootError);
            expect((error as Error).message).not.toContain('\n');
            return (error as Error).message;
          }
        })();
        expect(shown).not.toContain('hunter2');
      },
    ),
  );
});

it('gives hosts and ports without credentials', () => {
  expect(hostsOf('redis+cluster://me:secret@a:7000,[::1]:7001,b')).toBe('a:7000,[::1]:7001,b:6379');
});
