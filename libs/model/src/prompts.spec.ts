import { BootError } from '#contracts';
import { promptsOf, type PromptsInFile } from './prompts.js';

const of = (
  source: string,
  said: PromptsInFile = {},
  overrides: Parameters<typeof promptsOf>[3] = {},
  warn: (warning: string) => void = () => {},
) => promptsOf(source, 'config_sentence_transformers.json', said, overrides, warn);

it.each<[string, Record<string, string>]>([
  ['hub:BAAI/bge-large-zh-v1.5@c0ffee', { query: '为这个句子生成表示以用于检索相关文章：' }],
  ['hub:BAAI/bge-small-en@c0ffee', { query: 'Represent this sentence for searching relevant passages: ' }],
  [
    'hub:Qdrant/bge-small-en-v1.5-onnx-Q@c0ffee',
    { query: 'Represent this sentence for searching relevant passages: ' },
  ],
  ['hub:BAAI/bge-m3@c0ffee', {}],
  ['folder:/models/multilingual-e5-small', { query: 'query: ', passage: 'passage: ' }],
  ['hub:intfloat/e5-base-v2@c0ffee', { query: 'query: ', passage: 'passage: ' }],
  [
    'hub:mixedbread-ai/mxbai-embed-large-v1@c0ffee',
    { query: 'Represent this sentence for searching relevant passages: ' },
  ],
  ['hub:Snowflake/snowflake-arctic-embed-l-v2.0@c0ffee', { query: 'query: ' }],
  ['hub:thenlper/gte-base@c0ffee', {}],
  ['npm:@me/my-e5-base@1.0.0', {}],
])('%s has its family’s prompts', (source, prompts) => {
  expect(of(source)).toEqual({ prompts, defaultPrompt: null, instruction: null });
});

it('nomic has four', () => {
  expect(Object.keys(of('hub:nomic-ai/nomic-embed-text-v1.5@c0ffee').prompts)).toEqual([
    'search_query',
    'search_document',
    'classification',
    'clustering',
  ]);
});

it.each([
  ['hub:Qwen/Qwen3-Embedding-0.6B@c0ffee', 'Query:'],
  ['hub:intfloat/multilingual-e5-large-instruct@c0ffee', 'Query: '],
  ['hub:Alibaba-NLP/gte-Qwen2-1.5B-instruct@c0ffee', 'Query: '],
])('%s takes instructions, and has one for search', (source, end) => {
  const { instruction, prompts } = of(source);
  expect(instruction).toBe(`Instruct: {instruction}\n${end}`);
  expect(prompts).toEqual({
    query: `Instruct: Given a web search query, retrieve relevant passages that answer the query\n${end}`,
  });
});

it('the model’s file goes before the family, and models.json before both', () => {
  const source = 'hub:intfloat/e5-base@c0ffee';
  const said = { prompts: { query: 'Q: ', other: 'o' }, default_prompt_name: 'query' };
  expect(of(source, said)).toEqual({
    prompts: { query: 'Q: ', passage: 'passage: ', other: 'o' },
    defaultPrompt: 'query',
    instruction: null,
  });
  const overrides = { prompts: { query: '' }, defaultPrompt: null, instruction: 'Do {instruction}: ' };
  expect(of(source, said, overrides)).toEqual({
    prompts: { query: '', passage: 'passage: ', other: 'o' },
    defaultPrompt: null,
    instruction: 'Do {instruction}: ',
  });
});

it('the empty prompts that sentence-transformers saves replace none of the family', () => {
  const said = { prompts: { query: '', document: '' } };
  expect(of('hub:intfloat/e5-base@c0ffee', said).prompts).toEqual({ query: 'query: ', passage: 'passage: ' });
  expect(of('folder:/models/mine', said).prompts).toEqual({ query: '', document: '' });
});

it('a default prompt that does not exist is refused', () => {
  const said = { prompts: { query: 'q' }, default_prompt_name: 'document' };
  expect(() => of('folder:/m', said)).toThrow(BootError);
  expect(() => of('folder:/m', said)).toThrow(
    'config_sentence_transformers.json: default_prompt_name is "document", which is not one of its prompts ("query")',
  );
  expect(() => of('folder:/m', {}, { defaultPrompt: 'query' })).toThrow(/defaultPrompt is "query".*\(none\)/);
});

it.each(['none', 'instruction'])('a prompt named %s, a reserved word, is left out or refused', (name) => {
  const warnings: string[] = [];
  const said = { prompts: { [name]: 'text: ', query: 'q: ' } };
  const { prompts } = of('folder:/m', said, {}, (warning) => warnings.push(warning));
  expect(prompts).toEqual({ query: 'q: ' });
  expect(warnings).toEqual([
    expect.stringMatching(`^config_sentence_transformers.json: prompts has "${name}", a reserved name: .* left out`),
  ]);
  const byDefault = () => of('folder:/m', { ...said, default_prompt_name: name });
  expect(byDefault).toThrow(`default_prompt_name is "${name}", which is not one of its prompts ("query")`);
  const overridden = () => of('folder:/m', {}, { prompts: { [name]: '' } });
  expect(overridden).toThrow(BootError);
  expect(overridden).toThrow(`folder:/m: prompts in models.json has "${name}", a reserved name`);
});

it('an empty default prompt named none is no default prompt', () => {
  expect(of('folder:/m', { prompts: { none: '' }, default_prompt_name: 'none' }).defaultPrompt).toBeNull();
});
