import { extname } from 'node:path';
import { CommandError, EXIT } from '../exit-codes.js';
import { ArrowFile } from './arrow-file.js';
import { JsonlFile } from './jsonl-file.js';
import { NpyFile } from './npy-file.js';
import type { VectorFile } from './vector-row.js';

const FORMATS = {
  '.npy': NpyFile,
  '.jsonl': JsonlFile,
  '.ndjson': JsonlFile,
  '.arrow': ArrowFile,
  '.feather': ArrowFile,
} as const;

/**
 * An empty file of vectors in the format of its name.
 * @param path what is written; `name` is what it will be called when it is complete
 * @throws CommandError for an extension that stands for no format
 */
export function vectorFile(name: string, path: string, dimensions: number): VectorFile {
  requireFormat(name);
  return new FORMATS[extname(name) as keyof typeof FORMATS](path, dimensions);
}

/** @throws CommandError for an extension that stands for no format */
export function requireFormat(name: string): void {
  if (extname(name) in FORMATS) return;
  const known = Object.keys(FORMATS).join(', ');
  throw new CommandError(EXIT.usage, `--out ${name}: its name must end in one of ${known}, which says the format`);
}
