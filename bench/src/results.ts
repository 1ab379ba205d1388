import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.js';
import type { Section } from './suite.js';

/** The result of one suite, with the command, date and machine of its run. */
export interface Result {
  readonly suite: string;
  readonly command: string;
  /** ISO date. */
  readonly date: string;
  readonly runs: number;
  readonly machine: Machine;
  readonly section: Section;
}

const FOLDER = fileURLToPath(new URL('../../../bench/results/', import.meta.url));

/** Saves a result, so that one suite can be measured again without the others. */
export async function keepResult(result: Result): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${result.suite}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

export async function readResults(): Promise<Result[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(files.map(async (file) => JSON.parse(await readFile(join(FOLDER, file), 'utf8')) as Result));
}
