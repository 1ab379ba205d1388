import { ApiError } from '#contracts';

const NEWLINE = 0x0a;

/** One line of an upload that is not blank. */
export interface NdjsonLine {
  /** Counts every line from 1, blank ones included: what an editor shows. */
  readonly number: number;
  /** Without its line break. */
  readonly text: string;
}

/**
 * Splits a byte stream into lines. How the bytes are chunked changes nothing, and no more than one line and one chunk
 * are held. Lines end in LF or CRLF, the last one may end in neither; blank lines are skipped. Each line is decoded by
 * itself, so that a bad byte is found in the line it stands in.
 * @param maxLineBytes a longer line is refused as soon as so many bytes of it have come.
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

/** Takes a byte order mark off, too. */
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

/** A fault in an upload, named by its line. */
export function lineFault(number: number, code: string, problem: string, cause?: unknown): ApiError {
  return new ApiError({
    status: 400,
    code,
    message: `Line ${number} ${problem}.`,
    param: `line ${number}`,
    cause,
  });
}
