import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlainFolder } from './plain-folder.fixture.js';
import { itKeepsSegments } from './segment-store.contract.fixture.js';

itKeepsSegments('a plain folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'embedmill-segments-'));
  return {
    store: new PlainFolder(root),
    reopen: () => Promise.resolve(new PlainFolder(root)),
    stop: () => rm(root, { recursive: true }),
  };
});
