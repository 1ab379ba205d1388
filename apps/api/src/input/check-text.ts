/** A fault of a text: a stable code, and the predicate of its message, which follows the name of the text. */
export interface TextFault {
  readonly code: 'empty_text' | 'text_too_large';
  readonly problem: string;
}

/** Checks a text from any endpoint: not empty, at most `maxBytes` of UTF-8. Returns null if it is valid. */
export function faultOfText(text: string, maxBytes: number): TextFault | null {
  if (text === '') return { code: 'empty_text', problem: 'is an empty text' };
  // A UTF-16 code unit takes at most 3 bytes of UTF-8, so short texts need no exact count.
  if (text.length * 3 <= maxBytes) return null;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return null;
  return {
    code: 'text_too_large',
    problem: `has ${bytes} bytes, more than the ${maxBytes} of one text (EMBED_MAX_TEXT_BYTES)`,
  };
}
