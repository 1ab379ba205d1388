/** Approximate size of a chunk of an upload, characters. */
const CHUNK_CHARS = 64 * 1024;
/** Maximum length of a line, characters: a row of 100,000 numbers is shorter. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** Encodes texts as NDJSON, one JSON string per line, in chunks; only one chunk is in memory at a time. */
export async function* ndjsonChunks(texts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let chunk = '';
  for await (const text of texts) {
    chunk += lineOf(text);
    if (chunk.length < CHUNK_CHARS) continue;
    yield encoder.encode(chunk);
    chunk = '';
  }
  if (chunk !== '') yield encoder.encode(chunk);
}

/** Encodes texts as one NDJSON string. */
export function ndjsonOf(texts: readonly string[]): string {
  return texts.map(lineOf).join('');
}

/**
 * Splits a stream into lines, without their line breaks. The last line may lack a line break.
 * @throws Error when a line has more than 16 Mi characters
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > MAX_LINE_CHARS) throw new Error(`a line has more than ${MAX_LINE_CHARS} characters`);
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

function lineOf(text: string): string {
  return `${JSON.stringify(text)}\n`;
}
