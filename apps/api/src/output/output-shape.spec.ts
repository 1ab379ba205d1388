import { OPERATIONS } from '#contracts';
import { OutputShapes } from './output-shape.js';
import { OUTPUT_SHAPES } from './shapes.js';

it('every operation of this version has an output shape', () => {
  for (const operation of OPERATIONS.all) {
    expect(OUTPUT_SHAPES.of({ operation: operation.name }).operation).toBe(operation.name);
  }
});

it('an operation without a shape is named', () => {
  expect(() => new OutputShapes([]).of({ operation: 'rerank' })).toThrow('operation "rerank" has no output shape');
});
