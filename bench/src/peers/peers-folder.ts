import { fileURLToPath } from 'node:url';

/** Of no interest to readers of a report. */
const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Where peers and their models lie: nothing of them is part of the project. */
export const PEERS_FOLDER = `${PROJECT}.embedmill/peers/`;

/** Files of this folder that no compiler reads. */
export const PYTHON_SOURCES = `${PROJECT}bench/src/peers/python/`;

/** A peer's words without where it lies on this machine. */
export function withoutPaths(text: string): string {
  return text.replaceAll(PEERS_FOLDER, '').replaceAll(PROJECT, '');
}
