/**
 * Records what a release leaves in Redis, for `upgrade.spec.ts`: `node dist/test/upgrade/record.js CHECKOUT`, where
 * CHECKOUT is a built checkout of that release. README.md says what is recorded.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { auditLogSchema, isFinal } from '#contracts';
import { until } from '../support/until.js';
import { Caller } from './caller.js';
import { inventoryOf, packData, prolong } from './freeze.js';
import { type KeyName, RECORDED, type RecordedJob, type Recording, recordingFolder } from './recording.js';
import { Release, type SubmittedJob } from './release.js';
import {
  breakUpload,
  expireJob,
  finishJobs,
  killMidJob,
  leaveRequests,
  loseTask,
  makeKeys,
  queueJobs,
} from './scenarios.js';

/** 2100-01-01. */
const EXPIRES_AT = Date.UTC(2100, 0, 1);
const ADMIN_KEY = 'an-admin-key-of-forty-characters-or-more';

const checkout = resolve(process.argv[2] ?? '');
const { version } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as { version: string };
const folder = recordingFolder(version);
await rm(folder, { recursive: true, force: true });
const release = await Release.start(checkout, folder);
try {
  await record();
} finally {
  await release.end();
}

async function record(): Promise<void> {
  const open = new Caller((await release.api()).url);
  await loseTask(release);
  const worker = await release.worker();
  const { url } = await release.api({ EMBED_AUTH: 'on', EMBED_ADMIN_KEY: ADMIN_KEY });
  const { keys, cookie } = await makeKeys(url, ADMIN_KEY);
  const by = (name: KeyName) => new Caller(url, keys[name].key);

  await finishJobs(release, { open, by });
  await worker.stop();
  await killMidJob(release, open, 'running', 'running');
  await killMidJob(release, open, 'changedRunning', 'changed-running');
  await queueJobs(release, { open, by });
  await leaveRequests(release);
  const expiredJob = await expireJob(release, open);
  // Last: a minute after its last sign of life an upload is found to be broken.
  await breakUpload(release, open);
  await until('the expired key is refused', async () => (await by('expired').send('/v1/models')).status === 401);

  const operator = by('operator');
  const jobs: Record<string, RecordedJob> = {};
  for (const [scenario, job] of Object.entries(release.submitted)) jobs[scenario] = await describeJob(open, job);
  const { models } = await operator.snapshot();
  const expected: Omit<Recording, 'inventory'> = {
    release: version,
    recordedAt: Date.now(),
    expiresAt: EXPIRES_AT,
    fingerprints: Object.fromEntries(models.map(({ name, fingerprint }) => [name, fingerprint ?? ''])),
    keys,
    cookie,
    jobs,
    expiredJob,
    audit: auditLogSchema.parse(await operator.json('/admin/v1/audit')).data,
    history: {
      '5m': await operator.history('5m', 'finished'),
      '1h': await operator.history('1h', 'finished'),
      '24h': await operator.history('24h', 'finished'),
    },
  };
  await release.killServices();
  await prolong(release.redis, EXPIRES_AT);
  const recording: Recording = { ...expected, inventory: await inventoryOf(release.redis) };
  const data = await packData(release.redis);
  await writeFile(join(folder, RECORDED.data), data);
  await writeFile(join(folder, RECORDED.expected), `${JSON.stringify(recording, null, 1)}\n`);
  console.table(recording.inventory);
  console.table(
    Object.fromEntries(
      Object.entries(jobs).map(([scenario, { job }]) => [
        scenario,
        [job.state, ...Object.values(job.counts)].join(' '),
      ]),
    ),
  );
  console.log(`${folder}: ${data.length} bytes of data`);
}

/** What the release's API says of a job, with the vectors that the test compares. */
async function describeJob(open: Caller, { id, ...submitted }: SubmittedJob): Promise<RecordedJob> {
  const job = { ...(await open.job(id)), expires_at: EXPIRES_AT / 1000 };
  const settled = job.counts.done + job.counts.failed > 0 || isFinal(job.state);
  if (!settled) return { job, ...submitted, sha256: null, rows: {}, errors: [] };
  const { rows, errors } = await open.settled(job);
  if (!isFinal(job.state)) return { job, ...submitted, sha256: null, rows, errors };
  const all = Object.entries(rows);
  const two = Object.fromEntries([...all.slice(0, 1), ...all.slice(-1)]);
  return { job, ...submitted, sha256: await open.digest(job), rows: two, errors };
}
