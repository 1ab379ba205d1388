import { isLoopbackHost, isOfAnotherSite } from './origins.js';

it.each([
  ['localhost:8080', true],
  ['127.0.0.1', true],
  ['[::1]:8080', true],
  ['mill.localhost', true],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example:8080', false],
  ['192.168.0.7:8080', false],
  ['', false],
])('takes %p for this machine itself: %p', (host, is) => {
  expect(isLoopbackHost(host)).toBe(is);
});

it.each([
  [{ host: 'mill:8080' }, false],
  [{ 'host': 'mill:8080', 'sec-fetch-site': 'same-origin', 'origin': 'http://mill:8080' }, false],
  [{ 'host': 'mill:8080', 'sec-fetch-site': 'none' }, false],
  [{ 'host': 'mill:8080', 'sec-fetch-site': 'cross-site', 'origin': 'http://evil.example' }, true],
  [{ 'host': 'mill:8080', 'sec-fetch-site': 'same-site', 'origin': 'http://other.mill' }, true],
  [{ host: 'mill:8080', origin: 'http://mill:8080' }, false],
  [{ host: 'mill:8080', origin: 'http://mill:81' }, true],
  [{ host: 'mill:8080', origin: 'null' }, true],
  [{ 'host': 'mill:8080', 'sec-fetch-site': 'cross-site', 'origin': 'https://app.example' }, false],
])('%p comes from another site: %p', (headers, is) => {
  expect(isOfAnotherSite(headers, ['https://app.example'])).toBe(is);
});
