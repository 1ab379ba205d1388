import { isRow, type Outcome, rowTokens, rowTruncated } from '#contracts';
import type { RowWriter } from './output-shape.js';

/**
 * Writes one input's result as a JSON object, by hand for speed, since most bytes of a response are numbers.
 * @param index position of the input
 */
export function jsonResult(index: number, outcome: Outcome, writer: RowWriter): string {
  const head = `{"object":"${writer.object}","index":${index},"${writer.member}":`;
  if (!isRow(outcome)) return `${head}null,"error":${JSON.stringify(outcome)}}`;
  const tail = `,"tokens":${rowTokens(outcome)},"truncated":${rowTruncated(outcome)}}`;
  return `${head}${writer.json(outcome)}${tail}`;
}
