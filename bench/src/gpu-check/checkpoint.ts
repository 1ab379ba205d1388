import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { valuesOf } from '../../../test/goldens/weights-by-rule.js';
import type { Family } from './families.js';

const POOLING_MEMBERS = {
  cls: 'pooling_mode_cls_token',
  mean: 'pooling_mode_mean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
} as const;

/** Writes a family's model into a folder, as on a model hub, one tensor after the other: it may have gigabytes. */
export async function writeCheckpoint({ config, pooling, tensors }: Family, folder: string): Promise<void> {
  await mkdir(join(folder, '1_Pooling'), { recursive: true });
  const json = (path: string, value: unknown) => writeFile(join(folder, path), JSON.stringify(value));
  await json('config.json', config);
  // Token ids are made up: no text is tokenised.
  await json('tokenizer.json', { model: { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' } });
  await json('modules.json', [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
  ]);
  const modes = Object.entries(POOLING_MEMBERS).map(([mode, member]) => [member, mode === pooling]);
  await json('1_Pooling/config.json', Object.fromEntries(modes));
  await writeWeights(tensors, join(folder, 'model.safetensors'));
}

/** safetensors: u64 header length, JSON header, data. */
async function writeWeights(tensors: Family['tensors'], path: string): Promise<void> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of tensors) {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = await open(path, 'w');
  try {
    await file.writeFile(Buffer.concat([length, json]));
    for (const tensor of tensors) await file.writeFile(new Uint8Array(valuesOf(tensor).buffer));
  } finally {
    await file.close();
  }
}
