import { jobLineSchema } from '#contracts';
import { jsonProblem } from '../../http/json-problem.js';
import type { InputReader } from '../../input/input-reader.js';
import { lineFault, type NdjsonLine } from './ndjson-lines.js';

/**
 * The text of one line: a JSON string, or an object with the text under `input` or `text`. Lone surrogates become
 * U+FFFD, since UTF-8 cannot encode them.
 * @throws ApiError `invalid_json`, `invalid_line`, `empty_text` or `text_too_large`, with `param` naming the line.
 */
export function textOfLine(line: NdjsonLine, reader: Pick<InputReader, 'faultOf'>): string {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (cause) {
    throw lineFault(line.number, 'invalid_json', `is not valid JSON: ${jsonProblem(cause)}`, cause);
  }
  // Nearly every line is a plain string, which needs no schema.
  const parsed = typeof value === 'string' ? value : jobLineSchema.safeParse(value).data;
  if (parsed === undefined) {
    throw lineFault(line.number, 'invalid_line', 'must be a JSON string, or an object with the text under "input"');
  }
  const fault = reader.faultOf(parsed);
  if (fault !== null) throw lineFault(line.number, fault.code, fault.problem);
  return parsed.toWellFormed();
}
