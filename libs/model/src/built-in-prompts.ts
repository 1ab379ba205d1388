import { modelName } from './model-name.js';

/** Prompts that a family gives only in the text of its model cards. */
export interface BuiltInPrompts {
  readonly prompts: Readonly<Record<string, string>>;
  /** The prompt of a query with an instruction, in place of `{instruction}`; null: the family has none. */
  readonly instruction: string | null;
}

const NO_PROMPTS: BuiltInPrompts = { prompts: {}, instruction: null };

const SEARCH = 'Represent this sentence for searching relevant passages: ';
const WEB_SEARCH = 'Given a web search query, retrieve relevant passages that answer the query';
const INSTRUCT = 'Instruct: {instruction}\nQuery: ';
/** Qwen3's cards have no space here. */
const INSTRUCT_QWEN3 = 'Instruct: {instruction}\nQuery:';

const onlyQuery = (query: string): BuiltInPrompts => ({ prompts: { query }, instruction: null });
/** The query prompt of an instructed family is the instruction that its cards give for search. */
const instructed = (instruction: string): BuiltInPrompts => ({
  prompts: { query: instruction.replace('{instruction}', WEB_SEARCH) },
  instruction,
});
const NOMIC: BuiltInPrompts = {
  prompts: {
    search_query: 'search_query: ',
    search_document: 'search_document: ',
    classification: 'classification: ',
    clustering: 'clustering: ',
  },
  instruction: null,
};

/** By the model's name in lower case. Families without prompts (bge-m3, gte, jina v2, MiniLM) are not listed. */
const FAMILIES: readonly (readonly [name: RegExp, built: BuiltInPrompts])[] = [
  [/^bge-(small|base|large)-zh(-v1\.5)?$/, onlyQuery('为这个句子生成表示以用于检索相关文章：')],
  [/^bge-(small|base|large)-en(-v1\.5)?$/, onlyQuery(SEARCH)],
  [
    /^(multilingual-)?e5-(small|base|large)(-v2)?$/,
    { prompts: { query: 'query: ', passage: 'passage: ' }, instruction: null },
  ],
  [/^(multilingual-e5-large-instruct|e5-mistral-7b-instruct)$/, instructed(INSTRUCT)],
  [/^nomic-embed-text-v(1|1\.5|2-moe)$/, NOMIC],
  [/^modernbert-embed-base$/, NOMIC],
  [/^mxbai-embed-large-v1$/, onlyQuery(SEARCH)],
  [/^snowflake-arctic-embed-(xs|s|m|m-long|l|m-v1\.5)$/, onlyQuery(SEARCH)],
  [/^snowflake-arctic-embed-[ml]-v2\.0$/, onlyQuery('query: ')],
  [/^gte-qwen(1\.5|2)-[\d.]+b-instruct$/, instructed(INSTRUCT)],
  [/^qwen3-embedding-[\d.]+b$/, instructed(INSTRUCT_QWEN3)],
  [/^embeddinggemma-300m$/, { prompts: {}, instruction: 'task: {instruction} | query: ' }],
  [
    /^jina-embeddings-v3$/,
    {
      prompts: {
        'retrieval.query': 'Represent the query for retrieving evidence documents: ',
        'retrieval.passage': 'Represent the document for retrieval: ',
      },
      instruction: null,
    },
  ],
];

/** @param source of the model, such as `hub:BAAI/bge-large-zh-v1.5@COMMIT` */
export function builtInPrompts(source: string): BuiltInPrompts {
  const name = modelName(source);
  return FAMILIES.find(([family]) => family.test(name))?.[1] ?? NO_PROMPTS;
}
