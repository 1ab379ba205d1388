import { ApiError } from '#contracts';

const NEWLINE = 0x0a;

/** A line of an upload; blank lines are skipped. */
export interface NdjsonLine {
  /** From 1, counting blank lines too, as editors do. */
  readonly number: number;
  /** Without its line break. */
  readonly text: string;
}

/**
 * Splits a byte stream into lines, independent of how it is chunked; holds at most one line and one chunk. Lines end
 * with LF or CRLF; the last line may have no line break. Blank lines are skipped. Each line is decoded separately, so
 * that an error names the line with the invalid byte.
 * @param maxLineBytes a longer line is refused as soon as more bytes of it have arrived.
 * @throws ApiError `invalid_utf8` or `line_too_long`, with `param` naming the line.
 */
export async function* ndjsonLines(chunks: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<NdjsonLine> {
  let number = 1;
  let pieces: Buffer[] = [];
  let pieceBytes = 0;

  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      const piece = chunk.subarray(start, end < 0 ? chunk.length : end);
      pieceBytes += piece.length;
      if (pieceBytes > maxLineBytes) throw lineTooLong(number, maxLineBytes);
      if (piece.length > 0) pieces.push(piece);
      if (end < 0) break;
      const text = decodeLine(pieces, number);
      if (text !== '') yield { number, text };
      number += 1;
      pieces = [];
      pieceBytes = 0;
      start = end + 1;
    }
  }
  const text = decodeLine(pieces, number);
  if (text !== '') yield { number, text };
}

/** Also removes a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeLine(pieces: readonly Buffer[], number: number): string {
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  try {
    return utf8.decode(bytes).trim();
  } catch (cause) {
    throw lineFault(number, 'invalid_utf8', 'is not valid UTF-8', cause);
  }
}

function lineTooLong(number: number, maxLineBytes: number): ApiError {
  return lineFault(number, 'line_too_long', `is longer than the ${maxLineBytes} bytes a line may have`);
}

/** The error for a fault in one line of an upload. */
export function lineFault(number: number, code: string, problem: string, cause?: unknown): ApiError {
  return new ApiError({
    status: 400,
    code,
    message: `Line ${number} ${problem}.`,
    param: `line ${number}`,
    cause,
  });
}
