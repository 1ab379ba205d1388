import { join } from 'node:path';
import { z } from 'zod';
import { parseFile, readJson } from '../config/closed-file.js';
import { readModules } from '../config/modules.js';
import { FLAT, FLAT_TABLE, layoutOf, type Layout } from './pick-files.js';

/** Lists the modules of a model of sentence-transformers, and their folders. */
const MODULES = 'modules.json';
const CONFIG = 'config.json';

/** The file that says where a model has its other files; null when there is none. @param listing paths in the model's root */
export function layoutFile(listing: readonly string[]): string | null {
  return [MODULES, CONFIG].find((name) => listing.includes(name)) ?? null;
}

/** Where a model has its files. @throws BootError when the file that says so cannot be read */
export async function readLayout(root: string, listing: readonly string[]): Promise<Layout> {
  const name = layoutFile(listing);
  if (name === null) return FLAT;
  const file = await readJson(join(root, name));
  if (name === MODULES) return layoutOf(readModules(file));
  const { model_type: type } = parseFile(file, z.object({ model_type: z.unknown().optional() }));
  return type === 'model2vec' ? FLAT_TABLE : FLAT;
}
