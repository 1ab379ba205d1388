import { z } from 'zod';
import { llamaScaling, ntkScaling, type Rotation } from '../compiler/layers/rotary.js';
import type { JsonFile } from './closed-file.js';

const settings = z.record(z.string(), z.unknown()).nullish();

/**
 * Rotary positions in `config.json`: until transformers 5 `rope_theta` and `rope_scaling`, since then `rope_parameters`,
 * which has both.
 */
export const ropeMembers = {
  rope_theta: z.number().positive().nullish(),
  rope_scaling: settings,
  rope_parameters: settings,
};

type RopeSettings = { readonly [Member in keyof typeof ropeMembers]?: z.infer<(typeof ropeMembers)[Member]> };

/** One model's rotary positions, or why they are not supported: one line that names file, member and value. */
export interface RopeReading {
  readonly rotation: Rotation;
  readonly refusals: readonly string[];
}

/**
 * @param theta the architecture's default
 * @param kinds of scaling that the architecture has, apart from `default`, which is none
 * @param part of `rope_parameters` for models whose layers differ; the older members are then read by the caller
 */
export function readRope(
  file: JsonFile,
  { rope_theta, rope_scaling, rope_parameters }: RopeSettings,
  { theta, kinds, part }: { theta: number; kinds: readonly ScalingKind[]; part?: string },
): RopeReading {
  const own = part === undefined ? rope_parameters : (rope_parameters?.[part] as RopeSettings['rope_parameters']);
  const [member, all] = own ? (['rope_parameters', own] as const) : (['rope_scaling', rope_scaling ?? {}] as const);
  const { rope_theta: newTheta, rope_type, type, ...rest } = all;
  const kind = (rope_type ?? type ?? 'default') as string;
  const used = typeof newTheta === 'number' ? newTheta : (rope_theta ?? theta);
  // Written by transformers for every kind; a whole head turns.
  if (rest.partial_rotary_factor === 1) delete rest.partial_rotary_factor;
  if (kind === 'default' && Object.keys(rest).length === 0) return { rotation: { theta: used }, refusals: [] };
  const scaling = kinds.find((one) => one === kind);
  const parsed = scaling === undefined ? null : SCALINGS[scaling].safeParse(rest);
  if (parsed?.success) return { rotation: { theta: used, scaling: parsed.data }, refusals: [] };
  const known = ['default', ...kinds].map((one) => JSON.stringify(one)).join(', ');
  const told = `${file.path}: ${member} is ${JSON.stringify(all)}; Embedmill turns positions only by ${known}`;
  return { rotation: { theta: used }, refusals: [told] };
}

export type ScalingKind = keyof typeof SCALINGS;

/** Closed: a member that is not known here changes angles. */
const SCALINGS = {
  ntk: z.strictObject({ factor: z.number().min(1) }).transform(({ factor }) => ntkScaling(factor)),
  llama3: z
    .strictObject({
      factor: z.number().min(1),
      low_freq_factor: z.number().positive(),
      high_freq_factor: z.number().positive(),
      original_max_position_embeddings: z.int().positive(),
    })
    .transform(({ factor, low_freq_factor, high_freq_factor, original_max_position_embeddings }) =>
      llamaScaling({
        factor,
        low: low_freq_factor,
        high: high_freq_factor,
        positions: original_max_position_embeddings,
      }),
    ),
};
