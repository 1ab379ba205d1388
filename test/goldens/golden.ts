import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { TruncationSide } from '#contracts';
import { type RuledTensor, safetensorsOf, valuesOf } from './weights-by-rule.js';

/** What `make.py` writes; base64 members hold little-endian numbers. */
export interface Golden {
  readonly name: string;
  readonly family: string;
  /** `pairs`: a cross-encoder; `answer`: a language model as one; `sparse`: SPLADE; `m3`: bge-m3. */
  readonly kind: 'embed' | 'pairs' | 'answer' | 'sparse' | 'm3';
  /** Kind of tokenizer: name of a file in `data/tokenizers`. */
  readonly tokenizer: string;
  /** Path of tokenizer.json, or of vocab.txt in its place, in the checkpoint. */
  readonly tokenizerAt: string;
  /** null: no limit. */
  readonly maxTokens: number | null;
  readonly normalize: boolean;
  /** Path -> content of each JSON file but tokenizer.json. */
  readonly files: Readonly<Record<string, unknown>>;
  /** One entry per safetensors file. `digest`: first 16 hex digits of the SHA-256 of all values, in this order. */
  readonly weights: readonly { file: string; tensors: readonly RuledTensor[]; digest: string }[];
  /** Of `embed`. */
  readonly runs?: readonly GoldenRun[];
  /** Of `pairs` and `answer`. */
  readonly scored?: ScoredPairs;
  /** Of `m3`. */
  readonly onePass?: OnePass;
}

/** A golden of `sparse`: a row for each text, a number for each word of the vocabulary. */
export type SparseGolden = Golden & Pick<GoldenRun, 'texts' | 'lengths' | 'hashes'> & PackedRows;

/** What bge-m3 computes of texts. The vectors of texts are not normalised. */
export interface OnePass extends Pick<GoldenRun, 'texts' | 'lengths' | 'hashes'> {
  readonly dense: PackedRows;
  /** One row: the weights of the first text's tokens, those of the second one's, and so on. */
  readonly sparse: PackedRows;
  /** A row for each token but a text's first: the first text's, those of the second one, and so on. */
  readonly tokens: PackedRows;
}

/** Rows of floats. */
export interface PackedRows {
  /** Floats per row. */
  readonly width: number;
  /** base64: a float32 for each row. */
  readonly scales: string;
  /** base64: int16 `[rows, width]`; times its row's scale it is the row. */
  readonly values: string;
}

/** Pairs of texts, of which only the second was cut at the limit, and their scores. */
export interface ScoredPairs {
  /** Indexes of texts. */
  readonly pairs: readonly (readonly [first: number, second: number])[];
  readonly lengths: readonly number[];
  readonly hashes: string;
  /** Of the token types, in the form of `hashes`. */
  readonly typeHashes: string;
  /** A row for each pair, a number for each label. */
  readonly logits: readonly (readonly number[])[];
}

/** The vectors of some texts under one prompt. */
export interface GoldenRun extends PackedRows {
  /** Name of the prompt; null: none was asked for, so that the model's default prompt was used, if it has one. */
  readonly prompt: string | null;
  /** Side at which texts beyond the limit were cut. */
  readonly side: TruncationSide;
  /** Indexes of the texts. */
  readonly texts: readonly number[];
  /** Token counts after truncation. */
  readonly lengths: readonly number[];
  /** base64: 8 bytes for each text, see `idHash`. */
  readonly hashes: string;
}

const DATA = fileURLToPath(new URL('../../../test/goldens/data/', import.meta.url));

function unpacked(path: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(join(DATA, path))).toString('utf8'));
}

export const TEXTS = JSON.parse(readFileSync(join(DATA, 'texts.json'), 'utf8')) as readonly string[];

/** Names of all checkpoints, in alphabetical order. */
export const GOLDENS: readonly string[] = readdirSync(join(DATA, 'checkpoints'))
  .map((file) => file.replace('.json.gz', ''))
  .sort();

export function readGolden(name: string): Golden {
  return unpacked(`checkpoints/${name}.json.gz`) as Golden;
}

/** The golden's tokenizer.json. */
export function readTokenizer({ tokenizer }: Golden): unknown {
  return unpacked(`tokenizers/${tokenizer}.json.gz`);
}

/** Writes a golden's checkpoint into a folder, as on a model hub. */
export async function writeCheckpoint(golden: Golden, folder: string): Promise<void> {
  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  for (const [path, json] of Object.entries(golden.files)) await put(path, JSON.stringify(json));
  const tokenizer = readTokenizer(golden);
  await put(golden.tokenizerAt, golden.tokenizerAt.endsWith('.txt') ? piecesOf(tokenizer) : JSON.stringify(tokenizer));
  for (const { file, tensors } of golden.weights) await put(file, safetensorsOf(tensors));
}

/** `vocab.txt`: a piece a line, in the order of their ids. */
function piecesOf(tokenizer: unknown): string {
  const { model } = tokenizer as { readonly model: { readonly vocab: Readonly<Record<string, number>> } };
  const pieces = Object.entries(model.vocab).sort(([, a], [, b]) => a - b);
  return pieces.map(([piece]) => `${piece}\n`).join('');
}

/** The digest of a weights file, computed by the rule. */
export function digestOf(tensors: readonly RuledTensor[]): string {
  const digest = createHash('sha256');
  for (const tensor of tensors) digest.update(new Uint8Array(valuesOf(tensor).buffer));
  return digest.digest('hex').slice(0, 16);
}

/** 16 hex digits for a sequence of token ids. */
export function idHash(ids: Int32Array): string {
  return createHash('sha256').update(Int32Array.from(ids)).digest('hex').slice(0, 16);
}

/** The hashes in a base64 member, in the form of `idHash`. */
export function hashesIn(hashes: string): string[] {
  return Buffer.from(hashes, 'base64').toString('hex').match(/.{16}/g)!;
}

export function vectorsOf({ scales, values, width }: PackedRows): Float32Array[] {
  const [scaleBytes, bytes] = [Buffer.from(scales, 'base64'), Buffer.from(values, 'base64')];
  return Array.from({ length: scaleBytes.length / 4 }, (_row, row) =>
    Float32Array.from(
      { length: width },
      (_, column) => bytes.readInt16LE(2 * (row * width + column)) * scaleBytes.readFloatLE(4 * row),
    ),
  );
}
