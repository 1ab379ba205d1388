/**
 * Must change whenever a graph's numbers may change: compiled graphs and cache entries of other versions are not used.
 */
export const COMPILER_VERSION = 2;
