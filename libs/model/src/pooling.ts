import { BootError, type Pooling, type PoolingMode, poolingModeSchema } from '#contracts';
import type { z } from 'zod';
import { builtInPooling } from './built-in-pooling.js';
import { accept, readClosed, readJson } from './config/closed-file.js';
import { pooling as config } from './config/sentence-transformers.js';
import type { ModelFiles } from './types.js';

interface FoundPooling {
  readonly pooling: Pooling;
  /** Whether the tokens of a prompt are pooled with those of the text. */
  readonly includePrompt: boolean;
  /** Why it is only a guess; null: it is not. */
  readonly unknown: string | null;
  /** What the family does, for models without `modules.json`. */
  readonly normalize: boolean;
}

/**
 * The pooling that `models.json` or the file names, else that of the model's family.
 * @param compiled whether a graph is made, which needs it; a found one may have pooled already
 * @throws BootError, one line
 */
export async function poolingOf(
  files: ModelFiles,
  compiled: boolean,
  warn: (warning: string) => void,
): Promise<FoundPooling> {
  const { overrides, pooling: path, source } = files;
  const family = builtInPooling(source);
  const normalize = family?.normalize ?? false;
  const known = { includePrompt: true, unknown: null, normalize };
  const inFile = path === null ? null : await readPooling(path, warn);
  const includePrompt = inFile?.include_prompt ?? true;
  if (overrides.pooling !== undefined) return { ...known, pooling: overrides.pooling, includePrompt };
  if (path !== null && inFile !== null) return { ...known, pooling: modesIn(path, inFile), includePrompt };
  if (family !== null) return { ...known, pooling: family.pooling };
  const line = JSON.stringify({ NAME: { source: source.replace(/^\w+:/, ''), pooling: 'mean' } });
  const unknown =
    `${source}: no file says how it pools (1_Pooling/config.json). Look for it in the model's description, and write ` +
    `it into models.json (EMBED_MODELS_FILE), as one of ${poolingModeSchema.options.join(', ')}: ${line}`;
  if (compiled) throw new BootError(unknown);
  return { ...known, pooling: 'mean', unknown };
}

type PoolingFile = z.infer<z.ZodObject<typeof config.used>>;

function modesIn(path: string, file: PoolingFile): Pooling {
  const asked = file.pooling_mode === undefined ? oldModes(file) : [file.pooling_mode].flat();
  const known: readonly string[] = poolingModeSchema.options;
  if (asked.length === 0 || asked.some((mode) => !known.includes(mode))) {
    const wanted = asked.length === 0 ? 'no pooling' : asked.join(' and ');
    throw new BootError(`${path}: asks for ${wanted}; Embedmill pools by ${known.join(', ')}, or several of them`);
  }
  return asked.join('+');
}

/** In the order in which sentence-transformers concatenates them. */
function oldModes(file: PoolingFile): PoolingMode[] {
  const modes: Record<PoolingMode, boolean> = {
    cls: file.pooling_mode_cls_token,
    max: file.pooling_mode_max_tokens,
    mean: file.pooling_mode_mean_tokens,
    mean_sqrt_len_tokens: file.pooling_mode_mean_sqrt_len_tokens,
    weightedmean: file.pooling_mode_weightedmean_tokens,
    lasttoken: file.pooling_mode_lasttoken,
  };
  return poolingModeSchema.options.filter((mode) => modes[mode]);
}

async function readPooling(
  path: string,
  warn: (warning: string) => void,
): Promise<z.infer<z.ZodObject<typeof config.used>>> {
  const file = await readJson(path);
  const known = accept(readClosed(file, config), warn);
  // The old form has a member for each mode.
  const isUnknown = (name: string) => name.startsWith('pooling_mode_') && !Object.hasOwn(config.used, name);
  const unknown = Object.entries(file.json as object).find(([name, on]) => isUnknown(name) && Boolean(on));
  if (unknown === undefined) return known;
  throw new BootError(
    `${path}: ${unknown[0]} is ${JSON.stringify(unknown[1])}, a pooling that Embedmill does not know`,
  );
}
