import { baseUrlOf } from './base-url.js';

it.each([
  ['http://host:8080', 'http://host:8080'],
  ['https://host/', 'https://host'],
  ['https://host/v1', 'https://host'],
  ['https://host/v1/', 'https://host'],
  ['https://host/embed//', 'https://host/embed'],
])('%s is %s', (given, url) => {
  expect(baseUrlOf(given)).toBe(url);
});

it.each(['localhost:8080', 'ftp://host', '', 'host'])('%s is no address', (given) => {
  expect(() => baseUrlOf(given)).toThrow('is no address like http://127.0.0.1:8080');
});
