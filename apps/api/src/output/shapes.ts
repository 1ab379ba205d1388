import { embedding } from './embedding.js';
import { OutputShapes } from './output-shape.js';

/** The output shape of every operation of this version. */
export const OUTPUT_SHAPES = new OutputShapes([embedding]);
