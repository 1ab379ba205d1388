import { installByApt } from './install-by-apt.mjs';
import { isOnPath } from './is-on-path.mjs';
import { StepFailed } from './step.mjs';

const programs = ['redis-server', 'valkey-server'];

/**
 * Makes sure that there is a Redis: `REDIS_URL`, a server program on PATH, or one installed with apt.
 * @param {'any' | 'program'} need `program`: a server program is required, `REDIS_URL` is not enough
 * @throws StepFailed that says how to install one
 */
export async function ensureRedis(need) {
  if (need === 'any' && process.env.REDIS_URL) return;
  if (programs.some(isOnPath)) return;
  if (installByApt('redis-server') && programs.some(isOnPath)) return;
  throw new StepFailed(
    `Embedmill needs Redis 7 (or Valkey), and there is none on PATH. Install one:
  Debian, Ubuntu   sudo apt-get install redis-server
  macOS            brew install redis
${
  need === 'any'
    ? `  Docker           docker run -d -p 127.0.0.1:6379:6379 redis:7 --appendonly yes --maxmemory-policy noeviction
                   then REDIS_URL=redis://127.0.0.1:6379 ${process.env.npm_lifecycle_event === 'demo' ? 'npm run demo' : 'npm start'}`
    : `  Docker           docker run --rm -it -v "$PWD":/embedmill -w /embedmill node:24 npm test`
}`,
  );
}
