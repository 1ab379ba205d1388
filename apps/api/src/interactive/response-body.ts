import { setImmediate } from 'node:timers/promises';
import { type Row, rowTokens } from '#contracts';
import type { RowWriter } from '../output/output-shape.js';

/** Writing this many floats takes a few ms; then the event loop gets a turn. */
const PAUSE_AFTER_FLOATS = 32_768;

/** OpenAI's response as JSON, written by hand: a schema-driven serializer takes twice as long for lists of numbers. */
export async function responseBody(model: string, rows: readonly Row[], writer: RowWriter): Promise<string> {
  const data: string[] = [];
  let sincePause = 0;
  let tokens = 0;
  for (const [index, row] of rows.entries()) {
    data.push(`{"object":"${writer.object}","index":${index},"${writer.member}":${writer.json(row)}}`);
    tokens += rowTokens(row);
    sincePause += writer.width;
    if (sincePause < PAUSE_AFTER_FLOATS) continue;
    sincePause = 0;
    await setImmediate();
  }
  const usage = `{"prompt_tokens":${tokens},"total_tokens":${tokens}}`;
  return `{"object":"list","data":[${data.join(',')}],"model":${JSON.stringify(model)},"usage":${usage}}`;
}
