import { fileURLToPath } from 'node:url';

/** Root of the project. */
const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Folder of the peers and their models; none of it is part of the project. */
export const PEERS_FOLDER = `${PROJECT}.embedmill/peers/`;

/** Python sources: they are run from the source tree, since the build does not copy them. */
export const PYTHON_SOURCES = `${PROJECT}bench/src/peers/python/`;

/** A message of a peer without this machine's paths. */
export function withoutPaths(text: string): string {
  return text.replaceAll(PEERS_FOLDER, '').replaceAll(PROJECT, '');
}
