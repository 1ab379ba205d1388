/**
 * Writes the table of environment variables in docs/operations.md from the docstrings and defaults in
 * libs/config/src/environment.ts. With `--check` it only says whether the table is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const page = new URL('../docs/operations.md', import.meta.url);
const source = readFileSync(new URL('../libs/config/src/environment.ts', import.meta.url), 'utf8');
const { readEnvironment } = await import('../dist/libs/config/src/index.js');

/** Defaults that depend on the machine, or are clearer in words. */
const inWords = {
  EMBED_CACHE_REDIS_URL: 'as `REDIS_URL`',
  EMBED_DEVICE_MEMORY: 'by device',
  EMBED_DTYPE: 'by device',
  EMBED_MODEL_DIR: '`~/.cache/embedmill`',
  EMBED_THREADS: 'all cores',
  EMBED_TOKEN_BUDGET: 'by device',
};

const defaults = readEnvironment({});
const start = source.indexOf('environmentSchema = z.object({');
const body = source.slice(start, source.indexOf('\n});', start));
const rows = [...body.matchAll(/^(?: {2}\/\*\*\s((?:(?!\*\/)[^])*?) \*\/\n)? {2}([A-Z][A-Z0-9_]+):/gm)].map(
  ([, docstring = '', name]) => {
    const value = defaults[name];
    const shown = name === 'EMBED_MODELS' ? value.map((model) => model.name).join(',') : value;
    const fallback = inWords[name] ?? (shown === undefined ? '' : `\`${shown}\``);
    const text = docstring
      .replaceAll(/\n\s*\* ?/g, ' ')
      .replaceAll('|', '\\|')
      .trim();
    return [`\`${name}\``, fallback, text];
  },
);

const table = [['variable', 'default', ''], ['---', '---', '---'], ...rows].map((row) => `| ${row.join(' | ')} |`);
const before = readFileSync(page, 'utf8');
const after = before.replace(
  /(<!-- environment: .*? -->\n).*?(\n<!-- end of environment -->)/s,
  (_, head, tail) => `${head}\n${table.join('\n')}\n${tail}`,
);
if (process.argv.includes('--check')) {
  // Prettier pads the cells.
  const plain = (text) => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
  if (plain(before) !== plain(after)) {
    console.error('docs/operations.md: the table of variables is out of date: node scripts/environment-table.mjs');
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, after);
}
