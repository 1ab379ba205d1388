import type { Suite } from '../suite.js';
import { cache } from './cache.js';
import { fidelity } from './fidelity.js';
import { growth } from './growth.js';
import { peers } from './peers.js';
import { queries } from './queries.js';
import { queueCost } from './queue-cost.js';
import { scale } from './scale.js';
import { throughput } from './throughput.js';

/** All suites, in the order of the report. */
export const SUITES: readonly Suite[] = [throughput, peers, fidelity, queries, cache, queueCost, scale, growth];
