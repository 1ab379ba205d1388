import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { HtmlTagDescriptor, Plugin } from 'vite';

const LICENSE = createRequire(import.meta.url).resolve('@fontsource-variable/archivo/LICENSE');

/** Has the font fetched together with the page, so that it is there for the first text; its license goes along. */
export function fonts(): Plugin {
  return {
    name: 'fonts',
    apply: 'build',
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'archivo-license.txt', source: await readFile(LICENSE, 'utf8') });
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle = {} }) =>
        Object.keys(bundle)
          .filter((file) => file.endsWith('.woff2'))
          .map((file): HtmlTagDescriptor => ({
            tag: 'link',
            attrs: { rel: 'preload', href: `/dashboard/${file}`, as: 'font', type: 'font/woff2', crossorigin: true },
          })),
    },
  };
}
