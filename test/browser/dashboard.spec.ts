import { gunzipSync } from 'node:zlib';
import { get } from 'node:http';
import type { Browser, Locator, Page } from 'playwright-core';
import { accessibilityFaults, startBrowser } from '../support/browser.js';
import { Deployment, MODEL } from '../support/deployment.js';
import { acceptJob, getJob } from '../support/front-door.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

const MOST_SCRIPT_BYTES = 150 * 1024;
const PATIENCE_MS = 20_000;
const ADMIN_KEY = 'an-admin-key-of-this-test-alone-0123456789';
const VIEWS = ['overview', 'workers', 'jobs', 'queues', 'playground', 'keys', 'audit'];

let deployment: Deployment;
let api: Service;
let worker: Service;
let browser: Browser;
/** Pages of a test, closed behind it. */
let pages: Page[] = [];
/** What pages threw, and what their policy forbade. */
let complaints: string[] = [];

beforeAll(async () => {
  deployment = await Deployment.start();
  [api, worker, browser] = await Promise.all([deployment.api(), deployment.worker(), startBrowser()]);
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.context().close()));
  pages = [];
  complaints = [];
});

afterAll(async () => {
  await browser?.close();
  await deployment?.stop();
});

describe('the page', () => {
  it('is at /dashboard, asked for anew every time, and its assets once', async () => {
    const page = await fetch(`${api.url}/dashboard`);
    expect(page.url).toBe(`${api.url}/dashboard/`);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const found = assetsOf(await page.text());
    expect(found.length).toBeGreaterThan(1);
    for (const path of found) {
      const response = await fetch(api.url + path);
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get('cache-control')).toContain('immutable');
    }
  });

  it('allows nothing but its own files, and has nothing in line', async () => {
    const page = await fetch(`${api.url}/dashboard/`);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(await page.text()).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
  });

  it('sends less than 150 KB of script, compressed', async () => {
    const paths = assetsOf(await (await fetch(`${api.url}/dashboard/`)).text()).filter((path) => path.endsWith('.js'));
    const sizes = await Promise.all(paths.map((path) => gzippedBytes(api.url + path)));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThan(MOST_SCRIPT_BYTES);
  });

  it('starts in a browser, under its own policy', async () => {
    const page = await open('overview');
    await page.getByText('Idle').waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('a queue, from the dashboard', () => {
  it('is paused only by somebody who was told what that means', async () => {
    const page = await open('queues');
    const row = laneRow(page, 'bulk');
    await row.getByRole('button', { name: /^Pause/ }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toMatch(/New work is still accepted and waits/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await row.getAttribute('data-paused')).toBe('false');

    await row.getByRole('button', { name: /^Pause/ }).click();
    await dialog.getByRole('button', { name: 'Pause the queue' }).click();
    await row.and(page.locator('[data-paused=true]')).waitFor();
    await page.locator('[data-action="queue.pause"]', { hasText: MODEL }).waitFor();
  });

  it('shows a job that waits, by texts, tasks and in words', async () => {
    const job = await acceptJob(api.url, texts(640, 'waiting'));
    const page = await open('overview');
    const headline = page.locator(`[data-model="${MODEL}"]`);
    await headline.getByText('Paused').waitFor();
    await headline.getByText('640 texts wait').waitFor();
    await page.getByRole('link', { name: '24 h', exact: true }).click();
    await page.getByRole('link', { name: '24 h', exact: true }).and(page.locator('[aria-current=true]')).waitFor();
    await headline.getByText('Paused').waitFor();
    await headline.getByText('640 texts wait').waitFor();
    await page.getByRole('link', { name: '5 min', exact: true }).click();
    await page.getByRole('button', { name: 'Texts', exact: true }).click();
    await page.locator('.chart', { hasText: 'Queue depth' }).locator('.legend li', { hasText: 'bulk 640' }).waitFor();
    await page.getByRole('button', { name: 'Tasks', exact: true }).click();
    await page.locator('.chart', { hasText: 'Queue depth' }).locator('.legend li', { hasText: 'bulk 10' }).waitFor();

    await page.goto(`${api.url}/dashboard/#/jobs?state=queued&id=${job.id.slice(-8)}`);
    await page.locator(`[data-job="${job.id}"]`).waitFor();
  });

  it('loses a job that is cancelled on its page', async () => {
    const job = await acceptJob(api.url, texts(64, 'unwanted'));
    const page = await open(`jobs/${job.id}`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toMatch(/64 texts that are not done yet/);
    await dialog.getByRole('button', { name: 'Cancel the job' }).click();
    await page.locator('.job-head').getByText('cancelled').waitFor();
    expect((await getJob(api.url, job.id)).state).toBe('cancelled');
    await page.getByRole('button', { name: 'Cancel' }).and(page.locator(':disabled')).waitFor();
  });

  it('is resumed by keyboard alone, and falls to nothing', async () => {
    const page = await open('overview');
    await page.locator(`[data-model="${MODEL}"]`).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page).textContent()).toBe('Skip to the content');
    await tabTo(page, (name) => name === 'Queues');
    await page.keyboard.press('Enter');
    await laneRow(page, 'bulk').waitFor();
    await tabTo(page, (name) => name.startsWith('Resume the bulk queue'));
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, (name) => name === 'Resume the queue');
    await page.keyboard.press('Enter');
    await laneRow(page, 'bulk').and(page.locator('[data-paused=false]')).waitFor();
    await page.goto(`${api.url}/dashboard/#/overview`);
    await page.locator(`[data-model="${MODEL}"]`).getByText('Idle').waitFor();
  });

  it('gives the vectors of a finished job', async () => {
    const page = await open('jobs?state=completed');
    await page.locator('[data-job] a').first().click();
    const coming = page.waitForEvent('download');
    await page.getByRole('link', { name: 'NumPy' }).click();
    const file = await coming;
    expect(file.suggestedFilename()).toMatch(/\.npy$/);
    const stream = await file.createReadStream();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).subarray(1, 6).toString()).toBe('NUMPY');
  });
});

describe('the playground', () => {
  it('compares texts, in numbers that the arrow keys lead through', async () => {
    const page = await open('playground');
    await page.getByLabel(/^Texts/).fill('a fox\nthe lazy dog\na fox');
    await page.getByRole('button', { name: 'Embed 3' }).click();
    const grid = page.getByRole('grid');
    await grid.waitFor();
    const values = await grid.locator('[data-cell]').allTextContents();
    expect(values).toHaveLength(9);
    expect([values[0], values[2], values[4]]).toEqual(['1.00', '1.00', '1.00']);
    expect(values[1]).not.toBe('1.00');
    await grid.locator('[data-cell="0,1"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await focused(page).getAttribute('data-cell')).toBe('1,2');
    expect(await page.locator('.plane circle').count()).toBe(3);
    expect(await page.locator('.snippet').textContent()).toContain(`curl ${api.url}/v1/embeddings`);
    await page.locator('.stage-list', { hasText: 'inference' }).waitFor();

    await page.getByRole('button', { name: 'Embed 3' }).click();
    await until('all texts are cached', async () => (await page.getByRole('cell', { name: 'cached' }).count()) === 3);
  });
});

describe('every view', () => {
  it.each(['light', 'dark'] as const)('has no fault that axe finds, in the %s theme', async (colorScheme) => {
    const page = await open('overview', { colorScheme });
    for (const view of VIEWS) {
      await show(page, view);
      expect([view, await accessibilityFaults(page)]).toEqual([view, []]);
    }
    expect(complaints).toEqual([]);
  });

  it('fits a phone', async () => {
    const page = await open('overview', { viewport: { width: 360, height: 740 } });
    for (const view of VIEWS) {
      await show(page, view);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect([view, width]).toEqual([view, 360]);
    }
  });

  it('keeps the theme that was chosen', async () => {
    const page = await open('overview', { colorScheme: 'light' });
    const shown = () => page.locator('html').getAttribute('data-theme');
    expect(await shown()).toBe('light');
    await page.getByRole('button', { name: 'Dark theme' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Dark theme', pressed: true }).waitFor();
    expect(await shown()).toBe('dark');
  });
});

describe('signing in', () => {
  it('asks for an admin key, makes and revokes others, and ends', async () => {
    const guarded = await deployment.api({ EMBED_AUTH: 'on', EMBED_ADMIN_KEY: ADMIN_KEY });
    const page = await open('keys', {}, async () => {}, guarded);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByLabel('Admin key').fill('em_nobody_knows');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Admin key').fill(ADMIN_KEY);
    await page.keyboard.press('Enter');

    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.getByLabel('Name').fill('crawler');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    const key = await page.locator('[data-secret]').textContent();
    const statusWith = async () => {
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(`${guarded.url}/v1/models`, { headers })).status;
    };
    expect(await statusWith()).toBe(200);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.locator('[data-secret]').waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Revoke crawler' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke the key' }).click();
    await page.locator('[data-key]', { hasText: 'crawler' }).getByText('revoked').waitFor();
    await until('the key is refused', async () => (await statusWith()) === 401);

    await page.goto(`${guarded.url}/dashboard/#/audit`);
    await page.locator('[data-action="key.revoke"]').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Admin key').waitFor();
    await page.reload();
    await page.getByLabel('Admin key').waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('what goes wrong', () => {
  it('is asked for every other second where server-sent events do not come through', async () => {
    const page = await open('overview', {}, (opened) => opened.route('**/admin/v1/live', (route) => route.abort()));
    await page.getByText('Polling').waitFor();
    await page.locator(`[data-model="${MODEL}"]`).waitFor();
    await acceptJob(api.url, texts(8, 'polled'), { priority: 'high' });
    await page.goto(`${api.url}/dashboard/#/jobs`);
    await page.locator('[data-job]', { hasText: 'interactive' }).waitFor();
  });

  it('is said when the API is away, and forgotten when it is back', async () => {
    const page = await open('overview');
    await page.getByText('Live', { exact: true }).waitFor();
    await api.kill();
    const alert = page.getByRole('alert');
    await alert.getByText('The API does not answer').waitFor();
    await alert.getByText(/Trying again in \d+ s/).waitFor();
    api = await deployment.api({ EMBED_PORT: new URL(api.url).port });
    await page.getByText('Live', { exact: true }).waitFor();
    await alert.waitFor({ state: 'detached' });
  });

  it('shows a killed worker as lost', async () => {
    const page = await open('workers');
    await page.locator('[data-state=ready]').waitFor();
    await worker.kill();
    const row = page.locator('[data-state=lost]');
    await row.waitFor();
    expect(await row.textContent()).toContain(`pid ${worker.pid}`);
    await page.goto(`${api.url}/dashboard/#/overview`);
    await page.getByText('No workers').waitFor();
    await page.getByRole('heading', { name: 'Start a worker' }).waitFor();
  });
});

/** A page of its own, as of another reader, at a view. */
async function open(
  view: string,
  options: Parameters<Browser['newContext']>[0] = {},
  prepare: (page: Page) => Promise<unknown> = async () => {},
  of: Service = api,
): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  pages.push(page);
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text());
  });
  await prepare(page);
  await page.goto(`${of.url}/dashboard/#/${view}`);
  return page;
}

/** Leads an open page to a view and waits until it has what it shows. */
async function show(page: Page, view: string): Promise<void> {
  await page.goto(`${api.url}/dashboard/#/${view}`);
  await page.locator(`nav [aria-current=page][href="#/${view}"]`).waitFor();
  await page.locator('.skeleton').waitFor({ state: 'detached' });
  if (view !== 'playground') return;
  await page.getByRole('button', { name: /^Embed/ }).click();
  await page.getByRole('grid').waitFor();
}

function laneRow(page: Page, lane: string): Locator {
  return page.locator(`[data-lane="${MODEL}/${lane}"]`);
}

function focused(page: Page): Locator {
  return page.locator(':focus');
}

/** Presses Tab until what is focused has such a name. */
async function tabTo(page: Page, wanted: (name: string) => boolean): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    const name = await focused(page).evaluateAll(
      ([element]) => element?.getAttribute('aria-label') ?? element?.textContent ?? '',
    );
    if (wanted(name)) return;
    seen.push(name);
  }
  throw new Error(`Tab led to ${seen.join(', ')} only`);
}

function texts(count: number, word: string): string[] {
  return Array.from({ length: count }, (_, i) => `${word} number ${i}`);
}

function assetsOf(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="(\/dashboard\/assets\/[^"]+)"/g)].map(([, path]) => path!);
}

/** As sent, which fetch does not tell. */
function gzippedBytes(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        if (response.headers['content-encoding'] === 'gzip' && gunzipSync(body).length > body.length)
          resolve(body.length);
        else reject(new Error(`${url} was not compressed`));
      });
    }).once('error', reject);
  });
}
