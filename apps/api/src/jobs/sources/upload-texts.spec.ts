import { checkTexts, textOfLine } from './upload-texts.js';

const line = (text: string) => ({ number: 7, text });

describe('the text of a line', () => {
  it('is a JSON string, or stands under input or text', () => {
    expect(textOfLine(line('"a \\u00e9"'), 100)).toBe('a é');
    expect(textOfLine(line('{"input": "b", "id": 3}'), 100)).toBe('b');
    expect(textOfLine(line('{"text": "c"}'), 100)).toBe('c');
    expect(textOfLine(line('" "'), 100)).toBe(' ');
    expect(textOfLine(line(String.raw`"\ud83d\ude00 \ud83d"`), 100)).toBe('😀 \ufffd');
  });

  it.each([
    ['{"input": "b"', 'invalid_json'],
    ['plain', 'invalid_json'],
    ['"a" "b"', 'invalid_json'],
    ['42', 'invalid_line'],
    ['null', 'invalid_line'],
    ['["a"]', 'invalid_line'],
    ['{"input": ["a"]}', 'invalid_line'],
    ['{"other": "a"}', 'invalid_line'],
    ['""', 'empty_text'],
    ['{"input": ""}', 'empty_text'],
    ['"ééééé!"', 'text_too_large'],
  ])('is refused in %s as %s, by line', (text, code) => {
    expect(() => textOfLine(line(text), 10)).toThrow(
      expect.objectContaining({ status: 400, code, param: 'line 7', message: expect.stringContaining('Line 7 ') }),
    );
  });

  it('may have as many bytes of UTF-8 as the limit says', () => {
    expect(textOfLine(line('"ééééé"'), 10)).toBe('ééééé');
  });
});

describe('the texts of a JSON job', () => {
  it('are refused by the index of the first at fault', () => {
    expect(() => checkTexts(['a', 'b', ''], 10)).toThrow(
      expect.objectContaining({ code: 'empty_text', param: 'input[2]' }),
    );
    expect(() => checkTexts(['a', 'x'.repeat(11), ''], 10)).toThrow(
      expect.objectContaining({ code: 'text_too_large', param: 'input[1]' }),
    );
    expect(() => checkTexts(['a', 'x'.repeat(10)], 10)).not.toThrow();
    expect(() => checkTexts([''], 10)).toThrow(expect.objectContaining({ param: 'input' }));
  });
});

it('a refused line is not quoted: errors end up in logs', () => {
  expect(() => textOfLine(line('{"input": secret}'), 100)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') }),
  );
});
