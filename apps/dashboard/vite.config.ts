import { defineConfig } from 'vite';
import { compressed } from './compressed.js';

/** `vite build apps/dashboard`: to dist/apps/dashboard/site, which the API serves at /dashboard. */
export default defineConfig({
  base: '/dashboard/',
  build: {
    outDir: '../../dist/apps/dashboard/site',
    emptyOutDir: true,
    target: 'es2023',
    // The page's policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [compressed()],
});
