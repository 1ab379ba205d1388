import { fileURLToPath } from 'node:url';

/** Where peers and their models lie: nothing of them is part of the project. */
export const PEERS_FOLDER = fileURLToPath(new URL('../../../../.embedmill/peers/', import.meta.url));

/** Files of this folder that no compiler reads. */
export const PYTHON_SOURCES = fileURLToPath(new URL('../../../../bench/src/peers/python/', import.meta.url));
