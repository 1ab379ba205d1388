/** Characters of one chunk of an upload, about. */
const CHUNK_CHARS = 64 * 1024;
/** Longest line that is taken for one, characters: a row of 100,000 numbers has fewer. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** Texts as NDJSON, a JSON string a line, in chunks: no more than one is held, however many texts there are. */
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

/** The same at once. */
export function ndjsonOf(texts: readonly string[]): string {
  return texts.map(lineOf).join('');
}

/**
 * Cuts a stream into its lines, without their line breaks. The last line may end in none.
 * @throws Error when a line has no end for 16 Mi characters
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
