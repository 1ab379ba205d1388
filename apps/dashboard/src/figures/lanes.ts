import type { Lane } from '#contracts';

/** The lanes in the order of the screen. A lane is one of the two queues of a model; the screen calls it a queue. */
export const LANES_IN_ORDER: readonly Lane[] = ['interactive', 'bulk'];
