import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRow, type Pooling, rowFloats } from '#contracts';
import { loadModel, type LoadOptions, type RunnableModel } from '#model';
import { type FoundGraph, HIDDEN, makeOnnxFolder, type OnnxFolder } from '../../../../test/support/onnx-folder.js';
import { startEngine } from './start-engine.js';

const TEXTS = ['the quick brown fox', 'a', 'many a lazy dog jumps over the second and third number'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-onnx-files-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const load = (source: string, options: Partial<LoadOptions> = {}): Promise<RunnableModel> =>
  loadModel(
    { name: 'm', source },
    { modelDir: join(folder, 'models'), hfEndpoint: 'http://127.0.0.1:1', device: 'cpu', ...options },
  );

async function vectorsOf(model: RunnableModel, texts = TEXTS): Promise<number[][]> {
  const engine = await startEngine(model, { device: 'cpu', threads: 1, tokenBudget: 256, bulkShare: 0.2 });
  try {
    const inputs = texts.map((text) => [text] as const);
    const outcomes = await engine.run(inputs, { prompt: '', truncate: 'end', lane: 'bulk' });
    return outcomes.map((outcome) => {
      if (!isRow(outcome)) throw new Error(outcome.message);
      return [...rowFloats(outcome)];
    });
  } finally {
    await engine.close();
  }
}

/** Loads a folder by a name in models.json, with settings. */
async function loadWith(source: string, settings: object): Promise<RunnableModel> {
  const modelsFile = join(folder, 'models.json');
  await writeFile(modelsFile, JSON.stringify({ set: { source, ...settings } }));
  return load('set', { modelsFile });
}

let count = 0;
const make = (change: (graph: FoundGraph) => void, pooling: Pooling = 'mean'): Promise<OnnxFolder> =>
  makeOnnxFolder(folder, `model${count++}`, { pooling }, change);

const originals = new Map<string, Promise<number[][]>>();
function originalVectors({ original }: OnnxFolder): Promise<number[][]> {
  const computed = originals.get(original) ?? load(original).then((model) => vectorsOf(model));
  originals.set(original, computed);
  return computed;
}

/** Expects a folder's vectors to be those of the compiled original, plus a number. */
async function expectOriginal(
  found: OnnxFolder,
  { plus = 0, digits = 4, model }: { plus?: number; digits?: number; model?: RunnableModel } = {},
): Promise<void> {
  const vectors = await vectorsOf(model ?? (await load(found.at)));
  const expected = await originalVectors(found);
  for (const [n, vector] of vectors.entries()) {
    expect(vector).toHaveLength(HIDDEN);
    vector.forEach((value, d) => expect(value).toBeCloseTo(expected[n]![d]! + plus, digits));
  }
}

const STATES = ['rows', 'tokens', HIDDEN] as const;
const VECTOR = ['rows', HIDDEN] as const;

describe('the output of a found graph', () => {
  it('is its hidden states, not a vector of an unknown name beside them', async () => {
    const found = await make((graph) => {
      graph.node('Tanh', [graph.first('first')], 'mystery');
      graph.output('mystery', VECTOR);
      graph.node('Identity', [graph.hidden], 'last_hidden_state');
      graph.output('last_hidden_state', STATES);
    });
    await expectOriginal(found);
  });

  it.each(['1234', 'token_vectors'])('is the only one with a vector per token, called %s', async (name) => {
    const found = await make((graph) => {
      graph.node('Tanh', [graph.first('first')], 'mystery');
      graph.output('mystery', VECTOR);
      graph.node('Identity', [graph.hidden], name);
      graph.output(name, STATES);
    });
    await expectOriginal(found);
  });

  it.each(['logits', 'token_logits', 'pooler_output'])('is never called %s', async (name) => {
    const { at } = await make((graph) => {
      graph.first(name);
      graph.output(name, VECTOR);
    });
    await expect(load(at)).rejects.toThrow(
      `folder:${at}: its ONNX graph gives "${name}", neither a pooled vector nor hidden states`,
    );
  });

  it('is of the length that the graph has, not hidden_size', async () => {
    const found = await make((graph) => {
      graph.node('Concat', [graph.hidden, graph.hidden], 'last_hidden_state', { axis: 2 });
      graph.output('last_hidden_state', ['rows', 'tokens', 2 * HIDDEN]);
    });
    const model = await load(found.at);
    expect(model.card.operations.embed?.dimensions).toBe(2 * HIDDEN);
    const expected = await originalVectors(found);
    for (const [n, vector] of (await vectorsOf(model)).entries()) {
      expect(vector).toHaveLength(2 * HIDDEN);
      vector.forEach((value, d) => expect(value).toBeCloseTo(expected[n]![d % HIDDEN]!, 4));
    }
    const pooled = await make((graph) => {
      graph.node('Concat', [graph.first('first'), 'first', 'first'], 'sentence_embedding', { axis: 1 });
      graph.output('sentence_embedding', ['rows', 3 * HIDDEN]);
    });
    const [vector] = await vectorsOf(await load(pooled.at));
    expect(vector).toHaveLength(3 * HIDDEN);
  });

  it.each([
    ['without shapes', null],
    ['with names for all sizes', ['rows', 'tokens', 'width']],
  ])('may be described %s: it is looked at in a run', async (_, dims) => {
    const found = await make((graph) => {
      graph.node('Identity', [graph.hidden], 'last_hidden_state');
      graph.output('last_hidden_state', dims);
      graph.first('mystery');
      graph.output('mystery', dims?.filter((name) => name !== 'tokens') ?? null);
      if (dims === null) for (const name of ['input_ids', 'attention_mask']) graph.shape(name, null);
    });
    await expectOriginal(found);
    const pooled = await make((graph) => {
      graph.first('sentence_embedding');
      graph.output('sentence_embedding', dims?.filter((name) => name !== 'tokens') ?? null);
    }, 'cls');
    await expectOriginal(pooled);
  });

  it.each([
    ['FLOAT16', 2],
    ['DOUBLE', 4],
  ] as const)('may be in %s', async (type, digits) => {
    const pooled = await make((graph) => {
      graph.cast(graph.first('first'), 'sentence_embedding', type);
      graph.output('sentence_embedding', VECTOR, type);
    }, 'cls');
    await expectOriginal(pooled, { digits });
    const hidden = await make((graph) => {
      graph.cast(graph.hidden, 'last_hidden_state', type);
      graph.output('last_hidden_state', STATES, type);
    });
    await expectOriginal(hidden, { digits });
  });

  it('is the hidden states where models.json says how to pool', async () => {
    const { at, original } = await make((graph) => {
      graph.first('sentence_embedding');
      graph.output('sentence_embedding', VECTOR);
      graph.node('Identity', [graph.hidden], 'last_hidden_state');
      graph.output('last_hidden_state', STATES);
    }, 'mean');
    const byItself = await load(at);
    const asSet = await loadWith(at, { pooling: 'mean' });
    await expectOriginal({ at, original }, { model: asSet });
    expect(asSet.card.fingerprint).not.toBe(byItself.card.fingerprint);
  });
});

describe('an input of a found graph', () => {
  const hiddenStates = (graph: FoundGraph, hidden: string) => {
    graph.node('Identity', [hidden], 'last_hidden_state');
    graph.output('last_hidden_state', STATES);
  };

  it.each(['FLOAT', 'FLOAT16'] as const)('may be the cache of a decoder, in %s, which is empty', async (type) => {
    const found = await make((graph) => {
      const names = [0, 1].flatMap((n) => [`past_key_values.${n}.key`, `past_key_values.${n}.value`]);
      const sums = names.map((name, n) => {
        graph.input(name, type, ['rows', 2, 'past_sequence_length', 8]);
        graph.output(`present.${n}`, ['rows', 2, 'total', 8], type);
        graph.node('Concat', [name, name], `present.${n}`, { axis: 2 });
        return graph.cast(graph.node('Size', [name], `${name}.size`), `${name}.floats`, 'FLOAT');
      });
      const uses = graph.input('use_cache_branch', 'BOOL', [1]);
      const all = graph.node('Sum', [...sums, graph.cast(uses, 'uses', 'FLOAT')], 'all');
      hiddenStates(graph, graph.plus(all, 'changed'));
    });
    await expectOriginal(found);
  });

  it('may be a cache whose sizes only config.json gives', async () => {
    const found = await make((graph) => {
      const past = graph.input('past_key_values.0.key', 'FLOAT', ['rows', 'heads', 'past', 'size']);
      // Heads x size of one token: 4 x 8.
      const shape = graph.node('Shape', [past], 'shape');
      const sizes = graph.node('Gather', [shape, graph.integers('axes', [1, 3])], 'sizes');
      hiddenStates(graph, graph.plus(graph.node('ReduceProd', [sizes], 'product', { keepdims: 0 }), 'changed'));
    });
    await expectOriginal(found, { plus: 4 * 8 });
  });

  it('may be positions, which begin where the family counts from', async () => {
    const found = await make((graph) => {
      const positions = graph.input('position_ids', 'INT64', ['rows', 'tokens']);
      const column = graph.node('Unsqueeze', [positions, graph.integers('last', [2])], 'column');
      hiddenStates(graph, graph.plus(column, 'changed'));
    }, 'cls');
    await expectOriginal(found);
    const config = JSON.parse(await readFile(join(found.at, 'config.json'), 'utf8')) as object;
    for (const family of ['xlm-roberta', 'xmod']) {
      const roberta = JSON.stringify({ ...config, model_type: family, pad_token_id: 1 });
      await writeFile(join(found.at, 'config.json'), roberta);
      await expectOriginal(found, { plus: 2 });
    }
  });

  it('may be the number of a task, which models.json sets', async () => {
    const found = await make((graph) =>
      hiddenStates(graph, graph.plus(graph.input('task_id', 'INT64', []), 'changed')),
    );
    const config = JSON.parse(await readFile(join(found.at, 'config.json'), 'utf8')) as object;
    const tasks = ['retrieval.query', 'retrieval.passage', 'separation'];
    await writeFile(join(found.at, 'config.json'), JSON.stringify({ ...config, lora_adaptations: tasks }));
    await writeFile(
      join(found.at, 'config_sentence_transformers.json'),
      JSON.stringify({ prompts: { 'retrieval.query': 'query: ', 'retrieval.passage': 'passage: ', 'plain': '' } }),
    );
    await expect(load(found.at)).rejects.toThrow(
      /wants a task_id: set "task" for it in models\.json .*"retrieval\.query", "retrieval\.passage", "separation"$/,
    );
    const passages = await loadWith(found.at, { task: 'retrieval.passage' });
    expect(passages.card).toMatchObject({
      prompts: { 'retrieval.passage': 'passage: ', 'plain': '' },
      defaultPrompt: 'retrieval.passage',
    });
    await expectOriginal(found, { model: passages, plus: 1 });
    const separation = await loadWith(found.at, { task: 2 });
    expect(separation.card.prompts).toEqual({ plain: '' });
    await expectOriginal(found, { model: separation, plus: 2 });
    expect(separation.card.fingerprint).not.toBe(passages.card.fingerprint);
    await expect(loadWith(found.at, { task: 'sorting' })).rejects.toThrow(/task is "sorting", which is not in lora_/);
    await expect(loadWith(found.original, { task: 1 })).rejects.toThrow(/only an ONNX file with an input task_id/);
  });

  it.each([
    ['pixel_values', ['rows', 3], /: its ONNX graph wants an input "pixel_values"$/],
    ['past_key_values.0.key', ['rows', 2, 8], /wants past_key_values\.0\.key as \[rows, 2, 8\], not as/],
    ['past_key_values.0.key', ['rows', 2, 4, 8], /wants past_key_values\.0\.key of 4 earlier tokens/],
    ['token_type_ids', ['rows', 'tokens', 2], /wants token_type_ids as \[rows, tokens, 2\], not as \[rows, tokens\]$/],
  ])('that cannot be filled is refused: %s', async (name, dims, message) => {
    const { at } = await make((graph) => {
      graph.input(name, name.startsWith('past') ? 'FLOAT' : 'INT64', dims);
      hiddenStates(graph, graph.hidden);
    });
    await expect(load(at)).rejects.toThrow(message);
  });

  it.each([
    ['one row', [1, 'tokens'], 64],
    ['four rows', [4, 'tokens'], 64],
    ['16 tokens', ['rows', 16], 16],
    ['one row of 16 tokens', [1, 16], 16],
    ['two rows of 16 tokens', [2, 16], 16],
  ] as const)('may be of a fixed size: %s', async (_, dims, maxTokens) => {
    const found = await make((graph) => {
      for (const name of ['input_ids', 'attention_mask']) graph.shape(name, dims);
      hiddenStates(graph, graph.hidden);
    });
    const model = await load(found.at);
    expect(model.card.maxTokens).toBe(maxTokens);
    expect(model.warnings).toEqual(
      maxTokens === 64
        ? []
        : [`folder:${found.at}: its ONNX graph takes exactly 16 tokens: longer texts are cut there, not at 64`],
    );
    await expectOriginal(found, { model });
    if (maxTokens === 64) return;
    await expect(loadWith(found.at, { maxTokens: 32 })).rejects.toThrow('exactly 16 tokens, fewer than maxTokens, 32');
  });
});

describe('a graph whose rows depend on each other', () => {
  const quantised = (graph: FoundGraph) => {
    graph.node('DynamicQuantizeLinear', [graph.hidden], ['q', 'scale', 'zero']);
    graph.node('DequantizeLinear', ['q', 'scale', 'zero'], 'last_hidden_state');
    graph.output('last_hidden_state', STATES);
  };

  it('is refused, or computes one text at a time', async () => {
    const found = await make(quantised);
    await expect(load(found.at)).rejects.toThrow(
      /model\.onnx rounds numbers to a scale that it computes from a whole batch \(DynamicQuantizeLinear\), .*"rowsPerBatch": 1/,
    );
    const model = await loadWith(found.at, { rowsPerBatch: 1 });
    const together = await vectorsOf(model);
    for (const [n, text] of TEXTS.entries()) expect(await vectorsOf(model, [text])).toEqual([together[n]]);
    await expectOriginal(found, { model, digits: 1 });
  });

  it('is refused also where the scale is computed by single operators', async () => {
    const { at } = await make((graph) => {
      graph.node('ReduceMax', [graph.hidden], 'most', { keepdims: 0 });
      graph.cast(graph.integers('none', [0], []), 'zero', 'UINT8');
      graph.node('QuantizeLinear', [graph.hidden, 'most', 'zero'], 'q');
      graph.node('DequantizeLinear', ['q', 'most', 'zero'], 'last_hidden_state');
      graph.output('last_hidden_state', STATES);
    });
    await expect(load(at)).rejects.toThrow(/from a whole batch \(QuantizeLinear\)/);
  });

  it('is one without a mask, too, which has no padding when it computes one text at a time', async () => {
    const found = await make((graph) => {
      const inner = graph.model.graph!;
      inner.input = inner.input!.filter(({ name }) => name !== 'attention_mask');
      for (const node of inner.node!) {
        node.input = node.input!.map((name) => (name === 'attention_mask' ? 'all_ones' : name));
      }
      const nodes = inner.node!;
      inner.node = [];
      graph.cast(graph.node('Equal', ['input_ids', 'input_ids'], 'equal'), 'all_ones', 'INT64');
      inner.node.push(...nodes);
      graph.node('Identity', [graph.hidden], 'last_hidden_state');
      graph.output('last_hidden_state', STATES);
    });
    await expect(load(found.at)).rejects.toThrow(
      /has no input "attention_mask", .* the padding beside it: set "rowsPer/,
    );
    await expectOriginal(found, { model: await loadWith(found.at, { rowsPerBatch: 1 }) });
  });

  it('has another fingerprint when it computes one text at a time', async () => {
    const { original } = await make(quantised);
    const [usual, alone] = [await load(original), await loadWith(original, { rowsPerBatch: 1 })];
    expect(alone.card.fingerprint).not.toBe(usual.card.fingerprint);
    expect(await vectorsOf(alone)).toHaveLength(TEXTS.length);
    await expect(loadWith(original, { rowsPerBatch: 2 })).rejects.toThrow(/models\.json: set\.rowsPerBatch: /);
  });
});

describe('the weights of a found graph', () => {
  const hiddenStates = (graph: FoundGraph) => {
    graph.node('Identity', [graph.hidden], 'last_hidden_state');
    graph.output('last_hidden_state', STATES);
  };
  const move = (location: string) => (graph: FoundGraph) => {
    hiddenStates(graph);
    for (const { externalData } of graph.model.graph!.initializer!) {
      for (const entry of externalData ?? []) if (entry.key === 'location') entry.value = location;
    }
  };

  it('may lie in a folder below it, and must be there', async () => {
    const found = await make(move('data/all.bin'));
    await expect(load(found.at)).rejects.toThrow('model.onnx has its weights in data/all.bin, which is not beside it');
    await mkdir(join(found.at, 'data'));
    await rename(join(found.at, 'weights.bin'), join(found.at, 'data/all.bin'));
    await expectOriginal(found);
    const outside = await make(move('../all.bin'));
    await expect(load(outside.at)).rejects.toThrow('weights in "../all.bin", which is not in its own folder');
  });
});
