import { BootError } from '#contracts';
import type { AttentionMemory } from './compiler/layers/attention-memory.js';
import type { DeviceMemory } from './device-memory.js';

/** Tokens served of a longer model unless more are asked for: the number must not depend on the machine by accident. */
export const USUAL_TOKENS = 8192;
/** Below this, or the model's own maximum, a model is refused rather than limited. */
const LEAST_TOKENS = 128;
/** Limits that follow from memory are multiples of this. */
const STEP = 64;

export interface TokenLimits {
  /** For messages. */
  readonly source: string;
  /** Most tokens that the model takes; Infinity: not bounded. */
  readonly positions: number;
  /** `maxTokens` of models.json. */
  readonly asked: number | undefined;
  /** The model's own setting below its positions; used only if `asked` is not set. */
  readonly said: number;
  readonly attention: AttentionMemory;
}

/**
 * The most tokens of a text that are served: the model's, or fewer if the attention of one text does not fit in memory.
 * @throws BootError, one line, when `asked` is more than the model or the memory allows, or next to nothing fits
 */
export function servedTokens(
  limits: TokenLimits,
  { bytes, given }: Omit<DeviceMemory, 'provider'>,
  warn: (warning: string) => void,
): number {
  const { asked, attention, positions, said, source } = limits;
  if (asked !== undefined && asked > positions) {
    throw new BootError(`${source}: maxTokens ${asked} is more than its ${positions} positions`);
  }
  const all = asked ?? Math.min(said, positions);
  const wanted = asked === undefined && !given ? Math.min(all, USUAL_TOKENS) : all;
  const fitting = tokensFitting(attention, bytes);
  const needs = (tokens: number) =>
    `attention of one text of ${tokens} tokens needs ${inMiB(bytesOf(attention, tokens))}, and has ` +
    `${inMiB(bytes)} (EMBED_DEVICE_MEMORY)`;
  if (fitting >= wanted) {
    if (wanted < all) {
      warn(
        `${source}: the model has ${all} positions; Embedmill serves ${wanted}, unless more are asked for by ` +
          `EMBED_DEVICE_MEMORY or by maxTokens in models.json`,
      );
    }
    return wanted;
  }
  if (asked !== undefined) throw new BootError(`${source}: maxTokens is ${asked}, but ${needs(asked)}`);
  const least = Math.min(wanted, LEAST_TOKENS);
  if (fitting < least) throw new BootError(`${source}: ${needs(least)}`);
  const served = Math.max(least, Math.floor(fitting / STEP) * STEP);
  warn(`${source}: the model takes ${all} tokens; Embedmill serves ${served}: ${needs(wanted)}`);
  return served;
}

/** The longest text that runs alone in so many bytes; Infinity when its attention's memory is not quadratic. */
function tokensFitting({ perBatch, perRow }: AttentionMemory, bytes: number): number {
  return Math.floor(Math.sqrt(bytes / (perRow + perBatch)));
}

function bytesOf({ perBatch, perRow }: AttentionMemory, tokens: number): number {
  return (perRow + perBatch) * tokens ** 2;
}

function inMiB(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return `${mib < 10 ? mib.toFixed(1) : Math.round(mib)} MiB`;
}
