import { tokenizerDefinition } from './definition.js';
import { chooseDriver, nativeMissing } from './drivers/choose-driver.js';
import { KINDS } from './kinds.fixture.js';
import { TokenizerThread } from './tokenizer-thread.js';
import { tokenizerRules } from './tokenizer-rules.js';

const BERT = { tokenizer: KINDS['BERT, lower case'], config: {} };
const GPT2 = { tokenizer: KINDS['byte-level BPE of GPT-2'], config: {} };
const DEFAULT = { prompt: '', truncate: 'end', maxTokens: 64 } as const;

async function idsOf(files: { tokenizer: unknown; config: unknown }, text: string): Promise<number[]> {
  const tokenizer = await TokenizerThread.start(files);
  const [one] = await tokenizer.encode([[text]], DEFAULT);
  await tokenizer.close();
  if (one instanceof Error) throw one;
  return [...one!.ids];
}

it('the fingerprint has what ids depend on besides the files', () => {
  expect(tokenizerRules(BERT, 'native')).toEqual([]);
  expect(tokenizerRules({ tokenizer: KINDS['words by Whitespace'], config: {} }, 'native')).toEqual(['tokenizers']);
  expect(tokenizerRules(GPT2, 'javascript')).toEqual(['tokenizer:javascript']);
});

it('padding and truncation of tokenizer.json are not used', async () => {
  const truncation = { max_length: 3, strategy: 'LongestFirst', stride: 0, direction: 'Right' };
  const padding = { strategy: { Fixed: 8 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' };
  const files = { tokenizer: { ...KINDS['BERT, cased'], truncation, padding }, config: {} };
  expect(await idsOf(files, 'the fox the fox the fox')).toHaveLength(8);
});

it('a file that is no tokenizer is refused', () => {
  expect(() => tokenizerDefinition({ tokenizer: {}, config: {} })).toThrow('tokenizer.json has no model');
});

describe('where the native library has no build', () => {
  const missing = () => Promise.reject(new Error('Cannot find native binding.\nmore'));

  it('the JavaScript one takes its place, with a warning', async () => {
    const chosen = await chooseDriver(GPT2, missing);
    expect(chosen.name).toBe('javascript');
    expect(chosen.warning).toMatch(/^the library "tokenizers" does not run .*Cannot find native binding\.\)/);
    expect(await chooseDriver(GPT2)).toEqual({ name: 'native', warning: null });
  });

  it('a process can say so at its start', async () => {
    expect(await nativeMissing(missing)).toMatch(/^the library "tokenizers" does not run .*binding\.\)$/);
    expect(await nativeMissing()).toBeNull();
  });

  it('tokenizers that it gets wrong are refused in one line', async () => {
    await expect(chooseDriver(BERT, missing)).rejects.toThrow(
      /^the library "tokenizers" .* tokenizers with BertNormalizer give some texts other token ids: .*$/,
    );
    const added_tokens = [{ content: '<mask>', lstrip: true }];
    await expect(chooseDriver({ ...GPT2, tokenizer: { ...GPT2.tokenizer, added_tokens } }, missing)).rejects.toThrow(
      /tokenizers with the token <mask>, which takes white space beside it give some texts/,
    );
  });
});
