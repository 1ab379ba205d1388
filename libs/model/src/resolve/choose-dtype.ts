import { BootError, type Dtype } from '#contracts';
import { type DtypeChoice, requireDtype } from '../dtype-for.js';
import { readManifest } from '../manifest.js';
import type { ModelFiles } from '../types.js';

/**
 * Finds a model's files for the first dtype in which it runs. With fallbacks this reads the model's small files, without
 * them it is for the caller to find out whether the model runs.
 * @param find throws BootError when there are no files for a dtype
 * @throws BootError, that of the first dtype, when the model runs in none
 */
export async function chooseDtype(
  { dtype, fallbacks = [] }: DtypeChoice,
  find: (dtype: Dtype) => ModelFiles | Promise<ModelFiles>,
): Promise<ModelFiles> {
  if (fallbacks.length === 0) return find(dtype);
  let refusal: BootError | undefined;
  for (const one of [dtype, ...fallbacks]) {
    try {
      const files = await find(one);
      requireDtype(await readManifest(files), one, files.source);
      if (refusal === undefined) return files;
      const warning = `${refusal.message}; EMBED_DTYPE is not set, so ${one} is used instead of ${dtype}`;
      return { ...files, warnings: [...files.warnings, warning] };
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal!;
}
