import type { PlaygroundRequest } from '#contracts';

export interface Snippet {
  readonly language: string;
  readonly code: string;
}

/**
 * The playground's request as code that sends it to `POST /v1/embeddings`.
 * @param withKey whether the deployment requires an API key; the code reads it from a variable
 */
export function snippetsOf(request: PlaygroundRequest, origin: string, withKey: boolean): readonly Snippet[] {
  const { model, input, input_type, instruction, prompt_name, truncate, dimensions } = request;
  const own = {
    ...(input_type === undefined ? {} : { input_type }),
    ...(prompt_name === undefined ? {} : { prompt_name }),
    ...(instruction === undefined ? {} : { instruction }),
    ...(truncate === undefined ? {} : { truncate }),
  };
  const body = { model, input, ...(dimensions === undefined ? {} : { dimensions }), ...own };
  return [
    { language: 'curl', code: curl(origin, body, withKey) },
    { language: 'Python', code: python(origin, body, own, withKey) },
    { language: 'TypeScript', code: typescript(origin, body, own, withKey) },
  ];
}

interface Body {
  readonly model: string;
  readonly input: readonly string[];
  readonly dimensions?: number;
}

function curl(origin: string, body: Body, withKey: boolean): string {
  return [
    `curl ${origin}/v1/embeddings \\`,
    "  -H 'content-type: application/json' \\",
    ...(withKey ? ['  -H "authorization: Bearer $EMBEDMILL_API_KEY" \\'] : []),
    `  -d '${json(body).replaceAll("'", String.raw`'\''`)}'`,
  ].join('\n');
}

function python(origin: string, { model, input, dimensions }: Body, own: object, withKey: boolean): string {
  return [
    ...(withKey ? ['import os', ''] : []),
    'from openai import OpenAI',
    '',
    `client = OpenAI(base_url=${json(`${origin}/v1`)}, api_key=${withKey ? 'os.environ["EMBEDMILL_API_KEY"]' : '"unused"'})`,
    'answer = client.embeddings.create(',
    `    model=${json(model)},`,
    '    input=[',
    // A JSON string is also a Python string.
    ...input.map((text) => `        ${json(text)},`),
    '    ],',
    ...(dimensions === undefined ? [] : [`    dimensions=${dimensions},`]),
    ...(Object.keys(own).length === 0 ? [] : [`    extra_body=${json(own)},`]),
    ')',
    'vectors = [item.embedding for item in answer.data]',
  ].join('\n');
}

function typescript(origin: string, { model, input, dimensions }: Body, own: object, withKey: boolean): string {
  return [
    "import OpenAI from 'openai';",
    '',
    `const client = new OpenAI({ baseURL: ${json(`${origin}/v1`)}, apiKey: ${withKey ? "process.env['EMBEDMILL_API_KEY']" : "'unused'"} });`,
    'const answer = await client.embeddings.create({',
    `  model: ${json(model)},`,
    '  input: [',
    ...input.map((text) => `    ${json(text)},`),
    '  ],',
    ...(dimensions === undefined ? [] : [`  dimensions: ${dimensions},`]),
    ...(Object.keys(own).length === 0 ? [] : [`  ...(${json(own)} as object),`]),
    '});',
    'const vectors = answer.data.map(({ embedding }) => embedding);',
  ].join('\n');
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
