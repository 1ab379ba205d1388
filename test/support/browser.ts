import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/** A real Chromium: `EMBED_CHROMIUM`, or the one on PATH. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['EMBED_CHROMIUM'] ?? onPath(),
    // Its sandbox refuses to run as root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

/** What axe-core finds wrong with a page: `rule: element`, by the rules of WCAG 2.1 A and AA, contrast among them. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Added by the browser's own tools, the page's policy does not concern it.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] },
    }),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

function onPath(): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const program of PROGRAMS) {
      const path = join(folder, program);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next one.
      }
    }
  }
  throw new Error(`none of ${PROGRAMS.join(', ')} is on PATH: install one, or set EMBED_CHROMIUM`);
}
