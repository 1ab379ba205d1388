import { gunzipSync } from 'node:zlib';
import { get } from 'node:http';
import type { Browser } from 'playwright-core';
import { accessibilityFaults, startBrowser } from '../support/browser.js';
import { Deployment } from '../support/deployment.js';
import type { Service } from '../support/services.js';

const MOST_SCRIPT_BYTES = 150 * 1024;

let deployment: Deployment;
let api: Service;
let browser: Browser;

beforeAll(async () => {
  deployment = await Deployment.start();
  [api, browser] = await Promise.all([deployment.api(), startBrowser()]);
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
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${api.url}/dashboard/`);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

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
