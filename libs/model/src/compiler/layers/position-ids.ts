import type { GraphBuilder } from '../onnx/graph-builder.js';

/**
 * Rows of the position table as transformers' `create_position_ids_from_input_ids` chooses them: tokens are counted from
 * the row after the padding id; a padding token that a text itself contains is not counted, and has the padding id's row.
 * @param ids int32 `[rows, tokens]`
 * @returns int32 `[rows, tokens]`
 */
export function addPositionIds(graph: GraphBuilder, ids: string, padTokenId: number): string {
  const name = 'positions.ids';
  const padding = graph.integer32(`${name}.pad`, padTokenId);
  const none = graph.node('Equal', `${name}.none`, [ids, padding]);
  const counts = [graph.integer32(`${name}.zero`, 0), graph.integer32(`${name}.one`, 1)];
  const counted = graph.node('Where', `${name}.counted`, [none, ...counts]);
  const numbers = graph.node('CumSum', `${name}.numbers`, [counted, graph.integers(`${name}.along`, [1])]);
  const real = graph.node('Mul', `${name}.real`, [numbers, counted]);
  return graph.node('Add', name, [real, padding]);
}
