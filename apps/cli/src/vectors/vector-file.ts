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
 * Creates a writer of vectors; the extension of `name` selects the format.
 * @param name the file's name when it is complete
 * @param path the file to write
 * @throws CommandError for an unknown extension
 */
export function vectorFile(name: string, path: string, dimensions: number): VectorFile {
  requireFormat(name);
  return new FORMATS[extname(name) as keyof typeof FORMATS](path, dimensions);
}

/** @throws CommandError for an unknown extension */
export function requireFormat(name: string): void {
  if (extname(name) in FORMATS) return;
  const known = Object.keys(FORMATS).join(', ');
  throw new CommandError(EXIT.usage, `--out ${name}: its name must end in one of ${known}, which says the format`);
}
