/** What is wrong with a text: a stable code, and words that follow the text's name. */
export interface TextFault {
  readonly code: 'empty_text' | 'text_too_large';
  readonly problem: string;
}

/** The one rule of what a text may be, whichever way it comes. @param maxBytes UTF-8 */
export function faultOfText(text: string, maxBytes: number): TextFault | null {
  if (text === '') return { code: 'empty_text', problem: 'is an empty text' };
  // A UTF-16 unit is at most 3 bytes of UTF-8: short texts need no count.
  if (text.length * 3 <= maxBytes) return null;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return null;
  return {
    code: 'text_too_large',
    problem: `has ${bytes} bytes, more than the ${maxBytes} of one text (EMBED_MAX_TEXT_BYTES)`,
  };
}
