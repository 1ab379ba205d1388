import type { Lane } from '#contracts';

/** Those that somebody waits for come first. */
export const LANES_IN_ORDER: readonly Lane[] = ['interactive', 'bulk'];
