import type { Plugin } from 'vite';

/** Nothing is painted before the script has chosen the theme: else a reader of the dark one would see a white flash. */
export function themeFirst(): Plugin {
  return {
    name: 'theme-first',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
    },
  };
}
