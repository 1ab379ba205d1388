import type { Suite } from '../suite.js';
import { peers } from './peers.js';
import { queries } from './queries.js';
import { throughput } from './throughput.js';

/** All suites, in the order of the report. */
export const SUITES: readonly Suite[] = [throughput, queries, peers];
