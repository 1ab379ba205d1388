/**
 * `npm run screenshots`: the dashboard over a deployment with real work, in both themes and at two widths, as PNG files
 * under .embedmill/screenshots; the overview in docs/images is taken from there. Prints when the first paint was, and
 * how much the page moved. Arguments, both optional: seconds of work before, and views.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startBrowser } from '../support/browser.js';
import { Deployment } from '../support/deployment.js';
import { until } from '../support/until.js';

const MODEL = 'all-MiniLM-L6-v2';
const FOLDER = '.embedmill/screenshots';
const DOCS = 'docs/images';
/** So long the deployment works before it is looked at: the charts show five minutes. */
const LOAD_MS = Number(process.argv[2] ?? 290) * 1000;
const BULK_EVERY_MS = 45_000;
const BULK_TEXTS = 13_000;
const QUERY_EVERY_MS = 150;
const VIEWS = (process.argv[3] ?? 'overview,workers,jobs,job,queues,playground,keys,audit').split(',');
const SIZES = [
  { width: 1280, height: 720 },
  { width: 360, height: 740 },
];

/** Runs in the page. */
const VITALS = `(() => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  let moved = 0;
  const observer = new PerformanceObserver(() => {});
  observer.observe({ type: 'layout-shift', buffered: true });
  for (const { value, hadRecentInput } of observer.takeRecords()) if (!hadRecentInput) moved += value;
  return 'first paint ' + Math.round(paint.startTime) + ' ms, moved ' + moved.toFixed(3);
})()`;

const deployment = await Deployment.start();
const browser = await startBrowser();
let load: ReturnType<typeof work> | undefined;
try {
  const models = { EMBED_MODELS: MODEL, EMBED_MODEL_DIR: '.embedmill/test-models' };
  const [{ url }] = await Promise.all([deployment.api(models), deployment.worker(models)]);
  load = work(url);
  await setTimeout(LOAD_MS);
  const job = load.lastJob();
  for (const folder of [FOLDER, DOCS]) await mkdir(folder, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of SIZES) {
      const page = await (await browser.newContext({ colorScheme, viewport })).newPage();
      for (const view of VIEWS) {
        await page.goto(`${url}/dashboard/#/${view === 'job' ? `jobs/${job}` : view}`);
        // As a reader opens it, not as one who comes from the view before.
        await page.reload();
        await settle(page, view);
        const name = `${view}-${colorScheme}-${viewport.width}.png`;
        await page.screenshot({ path: `${FOLDER}/${name}`, fullPage: view !== 'overview' || viewport.width < 600 });
        console.log(name, await page.evaluate<string>(VITALS));
      }
      await page.context().close();
    }
    if (VIEWS.includes('overview'))
      await copyFile(`${FOLDER}/overview-${colorScheme}-1280.png`, `${DOCS}/overview-${colorScheme}.png`);
  }
} finally {
  await load?.end();
  await browser.close();
  await deployment.stop();
}

async function settle(page: Page, view: string): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
  if (view === 'playground') {
    await page.getByRole('button', { name: /^Embed/ }).click();
    await page.getByRole('grid').waitFor();
  }
  if (view === 'overview') {
    await until('charts are drawn', async () => (await page.locator('.legend b', { hasText: '–' }).count()) < 3);
  }
}

/** Bulk jobs now and then, a third of it seen before, and queries all the time, half of them the same. */
function work(url: string) {
  const ending = new AbortController();
  const { signal } = ending;
  const pause = (ms: number) => setTimeout(ms, undefined, { signal }).catch(() => {});
  let job = '';
  const bulk = async () => {
    for (let round = 0; !signal.aborted; round++) {
      const response = await post(`${url}/v1/jobs`, sentences(BULK_TEXTS, Math.floor((round * BULK_TEXTS * 2) / 3)));
      job = ((await response.json()) as { id: string }).id;
      await pause(BULK_EVERY_MS);
    }
  };
  const queries = async () => {
    for (let i = 0; !signal.aborted; i++) {
      await (await post(`${url}/v1/embeddings`, sentences(1, i % 2 === 0 ? 1e6 + i : 1e6))).arrayBuffer();
      await pause(QUERY_EVERY_MS);
    }
  };
  const ends = [bulk(), queries()];
  return {
    lastJob: () => job,
    async end() {
      ending.abort();
      await Promise.all(ends);
    },
  };
}

function post(url: string, input: string[]): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, input }),
  });
}

/** Short sentences, each number its own. */
function sentences(count: number, from: number): string[] {
  const who = ['The miller', 'A farmer', 'The baker', 'An apprentice', 'The inspector', 'A neighbour', 'The engineer'];
  const does = ['weighs', 'grinds', 'counts', 'carries', 'stores', 'examines', 'orders', 'forgets', 'describes'];
  const what = ['sacks of rye', 'the new stone', 'a cart of barley', 'last year’s ledger', 'the water wheel', 'wheat'];
  const when = ['before dawn', 'in the rain', 'after the harvest', 'on market day', 'without a word'];
  const pick = <T>(list: readonly T[], at: number) => list[at % list.length]!;
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return `${pick(who, n)} ${pick(does, n * 5)} ${pick(what, n * 7)} ${pick(when, n * 3)}, number ${n}.`;
  });
}
