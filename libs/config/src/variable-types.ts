import { modelNameSchema, type ServedModel } from '#contracts';
import { z } from 'zod';

export const integer = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
export const redisUrl = z
  .string()
  .regex(
    /^rediss?(\+(sentinel|cluster))?:\/\//,
    'must be a redis://, redis+sentinel:// or redis+cluster:// URL, or the same with rediss for TLS',
  );

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, 'KiB': 1024, 'MiB': 1024 ** 2, 'GiB': 1024 ** 3 };

/** Bytes: a whole number, alone or followed by KiB, MiB or GiB. */
export const bytes = (min: number, max: number) =>
  z.string().transform((text, context) => {
    const [, digits = '', unit = ''] = /^(\d{1,15}) ?(|KiB|MiB|GiB)$/.exec(text) ?? [];
    const value = Number(digits) * BYTE_UNITS[unit]!;
    if (digits !== '' && value >= min && value <= max) return value;
    context.addIssue({
      code: 'custom',
      message: `must be a whole number of bytes from ${min} to ${max}, such as 8GiB, 512MiB or 1048576`,
    });
    return z.NEVER;
  });

/** Comma-separated `name` or `name=source`. A source is a folder, a `models.json` name, an npm package or a hub id. */
export const modelList = z.string().transform((text, context) => {
  const models: ServedModel[] = [];
  for (const entry of text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)) {
    const cut = entry.indexOf('=');
    const name = cut < 0 ? entry : entry.slice(0, cut);
    const source = cut < 0 ? entry : entry.slice(cut + 1);
    const parsed = modelNameSchema.safeParse(name);
    if (!parsed.success || source === '') {
      context.addIssue({
        code: 'custom',
        message: `"${entry}": ${parsed.success ? 'the source is empty' : (parsed.error.issues[0]?.message ?? 'bad name')}; write name or name=source`,
      });
      return z.NEVER;
    }
    if (models.some((model) => model.name === name)) {
      context.addIssue({ code: 'custom', message: `"${name}" is named twice` });
      return z.NEVER;
    }
    models.push({ name, source });
  }
  if (models.length === 0) {
    context.addIssue({ code: 'custom', message: 'names no model' });
    return z.NEVER;
  }
  return models;
});

/** Comma-separated origins such as `https://app.example`. */
export const originList = z.string().transform((text, context) => {
  const origins = text.split(',').map((part) => part.trim());
  return origins.filter(Boolean).map((origin) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      context.addIssue({ code: 'custom', message: `"${origin}" is no origin; write https://app.example` });
    }
    return origin;
  });
});

/** `cpu`, `webgpu`, `cuda` or `cuda:N`. */
export const device = z.string().regex(/^(cpu|webgpu|cuda(:\d+)?)$/, 'must be cpu, webgpu, cuda or cuda:N');
