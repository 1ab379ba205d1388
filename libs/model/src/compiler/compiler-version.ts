/** Changes whenever a graph's numbers may: compiled graphs and cache entries of other versions are not used. */
export const COMPILER_VERSION = 2;
