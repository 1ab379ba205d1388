import { defineConfig } from 'vite';
import { compressed } from './compressed.js';
import { fonts } from './fonts.js';
import { themeFirst } from './theme-first.js';

/** `vite build apps/dashboard`: to dist/apps/dashboard/site, which the API serves at /dashboard. */
export default defineConfig({
  base: '/dashboard/',
  build: {
    outDir: '../../dist/apps/dashboard/site',
    emptyOutDir: true,
    target: 'es2023',
    // The page's policy allows no data: URLs.
    assetsInlineLimit: 0,
    // Those of the packages in the bundle ask to be passed on.
    license: { fileName: 'licenses.md' },
    modulePreload: { polyfill: false },
  },
  plugins: [fonts(), themeFirst(), compressed()],
});
