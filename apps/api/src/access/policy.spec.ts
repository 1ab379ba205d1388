import { requirementOf } from './policy.js';

it.each([
  ['/v1/embeddings', 'embed'],
  ['/v1/models/*', 'embed'],
  ['/v1/jobs/:id/results', 'jobs'],
  ['/metrics', 'metrics'],
  ['/admin/v1/keys/:id', 'admin'],
  ['/dashboard/*', 'public'],
  ['/dashboard/queues/api/:queue', 'admin'],
  ['/health/ready', 'public'],
  ['/', 'admin'],
  ['/v1', 'admin'],
  ['/v1/embeddings-of-tomorrow', 'admin'],
  ['*', 'admin'],
])('%s asks for %s', (route, requirement) => {
  expect(requirementOf(route)).toBe(requirement);
});
