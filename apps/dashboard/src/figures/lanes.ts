import type { Lane } from '#contracts';

/** A lane is one of the two queues of a model, and is called a queue on screen. Interactive work comes first. */
export const LANES_IN_ORDER: readonly Lane[] = ['interactive', 'bulk'];
