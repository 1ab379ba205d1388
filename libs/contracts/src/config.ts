import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { BootError } from './errors.js';
import { dtypeSchema, modelNameSchema } from './model-card.js';

const KIB = 1024;
const MIB = 1024 * KIB;

const integer = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const redisUrl = z
  .string()
  .regex(
    /^rediss?(\+(sentinel|cluster))?:\/\//,
    'must be a redis://, redis+sentinel:// or redis+cluster:// URL, or the same with rediss for TLS',
  );

/** `name` or `name=source`, comma-separated. A source is a folder, a `models.json` name, an npm package or a hub id. */
const modelList = z.string().transform((text, context) => {
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

/** `https://app.example`, comma-separated. */
const originList = z.string().transform((text, context) => {
  const origins = text.split(',').map((part) => part.trim());
  return origins.filter(Boolean).map((origin) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      context.addIssue({ code: 'custom', message: `"${origin}" is no origin; write https://app.example` });
    }
    return origin;
  });
});

/** A model this deployment serves: the name clients ask for, and where its files come from. */
export interface ServedModel {
  readonly name: string;
  readonly source: string;
}

/** `cpu`, `webgpu`, `cuda` or `cuda:N`. */
const device = z.string().regex(/^(cpu|webgpu|cuda(:\d+)?)$/, 'must be cpu, webgpu, cuda or cuda:N');

/**
 * Every environment variable Embedmill reads, with its default. Units stand in the names.
 * API and workers of one deployment share one environment.
 */
export const environmentSchema = z.object({
  /** PEM file of the certificate authority that Redis servers reached by `rediss` URLs are checked with. Default: Node's own. */
  EMBED_REDIS_TLS_CA: z.string().optional(),
  /** PEM files of a client certificate and its key, where Redis asks for one. */
  EMBED_REDIS_TLS_CERT: z.string().optional(),
  EMBED_REDIS_TLS_KEY: z.string().optional(),
  /** Queue, job records and results: a server, a master known to Sentinels, or a cluster. Wants AOF and `noeviction`. */
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  /** Shared cache; may vanish at any time. Default: the same as `REDIS_URL`. */
  EMBED_CACHE_REDIS_URL: redisUrl.optional(),
  /** Longest a starting process waits for Redis before it gives up. */
  EMBED_REDIS_PATIENCE_MS: integer(0, 3_600_000, 30_000),
  /** First part of every Redis key. */
  EMBED_KEY_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .default('em'),
  /** Models served, comma-separated: `name`, or `name=source` with a folder, a `models.json` name, an npm package or a hub id (`@revision` allowed). */
  EMBED_MODELS: modelList.prefault('all-MiniLM-L6-v2'),
  /** Least level that is logged. */
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  /** Address that API and worker listen on. */
  EMBED_HOST: z.string().default('127.0.0.1'),
  /** 0: any free port. */
  EMBED_PORT: integer(0, 65535, 8080),
  /** Whether API keys are asked for. `auto`: unless `EMBED_HOST` is loopback. */
  EMBED_AUTH: z.enum(['auto', 'on', 'off']).default('auto'),
  /** A key with every scope, beside those made with `embedmill keys create`: the first one of a deployment in containers. */
  EMBED_ADMIN_KEY: z.string().min(32, 'must have 32 characters or more').max(200).optional(),
  /** Origins whose pages may ask from a browser, comma-separated, as `https://app.example`. Default: none. */
  EMBED_CORS_ORIGINS: originList.prefault(''),
  /** Requests to embed that a key without a limit of its own may make a minute, over all API processes. Default: any number. */
  EMBED_RATE_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  /** The same of tokens: estimated from bytes first, then counted. */
  EMBED_RATE_TOKENS_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  /** Requests that one key may have open at a time in one API process, those that wait or look on included. */
  EMBED_MAX_OPEN_REQUESTS: integer(1, 1_000_000, 1024),
  /** Longest that a JSON body takes to come, and that an upload says nothing. */
  EMBED_BODY_TIMEOUT_MS: integer(100, 3_600_000, 60_000),
  /** Largest JSON body. NDJSON uploads have no limit of this kind. */
  EMBED_MAX_BODY_BYTES: integer(KIB, 1024 * MIB, 32 * MIB),
  /** Inputs of one `POST /v1/embeddings`. */
  EMBED_MAX_INPUTS: integer(1, 1_000_000, 2048),
  /** Inputs of one JSON `POST /v1/jobs`; NDJSON takes any number. */
  EMBED_MAX_JOB_INPUTS: integer(1, 10_000_000, 100_000),
  /** One text, UTF-8. */
  EMBED_MAX_TEXT_BYTES: integer(64, 64 * MIB, MIB),
  /** Unfinished bulk texts of one model above which JSON jobs get 429 and uploads are slowed. */
  EMBED_MAX_QUEUED_TEXTS: integer(1, 1_000_000_000, 2_000_000),
  /** Texts of waiting requests, per API process and model, above which further ones get 429. */
  EMBED_MAX_WAITING_TEXTS: integer(1, 10_000_000, 20_000),
  /** Longest a request waits for its answer. */
  EMBED_WAIT_TIMEOUT_MS: integer(100, 3_600_000, 60_000),
  /** Window in which small concurrent requests share a task; open only while others are under way. */
  EMBED_COALESCE_MS: integer(0, 100, 1),
  /** In-process cache in front of the shared one, per API process. */
  EMBED_LRU_BYTES: integer(0, 64 * 1024 * MIB, 64 * MIB),
  /** How long jobs and their results are kept after the last change. */
  EMBED_JOB_TTL_SECONDS: integer(10, 31_536_000, 86_400),
  /** Texts of one task. */
  EMBED_TASK_TEXTS: integer(1, 1024, 64),
  /** UTF-8 bytes of one task's texts; a longer text is a task of its own. */
  EMBED_TASK_BYTES: integer(KIB, 16 * MIB, 256 * KIB),
  /** Times a task is tried before its texts are reported as failed. */
  EMBED_TASK_ATTEMPTS: integer(1, 100, 5),

  /** `cpu`, `webgpu`, `cuda` or `cuda:N`. A worker refuses to start without it. */
  EMBED_DEVICE: device.default('cpu'),
  /** Default: fp32 on cpu, fp16 elsewhere. */
  EMBED_DTYPE: dtypeSchema.optional(),
  /** Intra-op threads of a CPU device. */
  EMBED_THREADS: integer(1, 1024, availableParallelism()),
  /** Padded tokens (rows x longest row) of a micro-batch. Default: the least that the device is about as fast with as with any, found when it warms up. */
  EMBED_TOKEN_BUDGET: z.coerce.number().int().min(8).max(4_194_304).optional(),
  /** Texts of one micro-batch. */
  EMBED_MAX_BATCH_ROWS: integer(1, 8192, 256),
  /** Texts a worker holds at once to sort by length. */
  EMBED_LOOKAHEAD_TEXTS: integer(1, 65_536, 1024),
  /** Share of micro-batches that bulk gets while queries keep coming. */
  EMBED_BULK_SHARE: z.coerce.number().min(0.01).max(0.99).default(0.2),
  /** A task's lease; a killed worker's tasks start again after this and `EMBED_STALLED_CHECK_MS`. */
  EMBED_LOCK_MS: integer(1000, 600_000, 10_000),
  /** How often workers look for tasks whose lease ran out. */
  EMBED_STALLED_CHECK_MS: integer(500, 600_000, 5_000),
  /** How often a worker checks its devices with a golden text, s; 0: only at its start. */
  EMBED_CANARY_SECONDS: z.coerce.number().min(0).max(86_400).default(60),
  /** Longest a device may finish nothing while it owes the check's answer, before the worker takes itself out of service. */
  EMBED_CANARY_PATIENCE_MS: integer(100, 3_600_000, 30_000),
  /** How often a worker writes its registry record. */
  EMBED_HEARTBEAT_MS: integer(200, 60_000, 3_000),
  /** Longest a worker finishes what it holds after SIGTERM. */
  EMBED_DRAIN_MS: integer(0, 3_600_000, 30_000),
  /** Worker's health and metrics; 0: any free port, found in the worker's registry record. */
  EMBED_METRICS_PORT: integer(0, 65535, 0),
  /** Downloaded and compiled models. */
  EMBED_MODEL_DIR: z.string().default(join(homedir(), '.cache', 'embedmill')),
  /** `models.json`: name -> source and overrides. */
  EMBED_MODELS_FILE: z.string().optional(),
  /** Hugging Face hub, or a mirror of it. */
  HF_ENDPOINT: z.url().default('https://huggingface.co'),
  /** For models of the hub that ask for one. */
  HF_TOKEN: z.string().optional(),

  /** OpenTelemetry collector, OTLP over HTTP with JSON. Default: no traces. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  /** The same, for traces only, and used as it stands: nothing is added to its path. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url().optional(),
  /** `true`: no traces in spite of an endpoint. */
  OTEL_SDK_DISABLED: z.string().optional(),
});

/** Never shown: they are passwords, or may hold one. */
const SECRETS = [
  'REDIS_URL',
  'EMBED_CACHE_REDIS_URL',
  'EMBED_ADMIN_KEY',
  'HF_TOKEN',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
];

export type Environment = z.infer<typeof environmentSchema>;

/**
 * Reads and checks the environment. Empty variables count as absent.
 * @throws BootError naming every variable at fault and its value's problem, in one line.
 */
export function readEnvironment(source: NodeJS.ProcessEnv = process.env): Environment {
  const present = presentIn(source);
  const parsed = environmentSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `${name}${SECRETS.includes(name) ? '' : `=${present[name] ?? ''}`}: ${issue.message}`;
  });
  throw new BootError(`bad configuration: ${faults.join('; ')}`);
}

function presentIn(source: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
}

/** What `embedmill` reads as a client of a deployment, which may run elsewhere; options of the command line go first. */
const clientEnvironmentSchema = z.object({
  /** Of the API. */
  EMBEDMILL_URL: z.string().optional(),
  EMBEDMILL_API_KEY: z.string().optional(),
  /** A file with the key and nothing else; read where `EMBEDMILL_API_KEY` is not set. */
  EMBEDMILL_API_KEY_FILE: z.string().optional(),
});
export type ClientEnvironment = z.infer<typeof clientEnvironmentSchema>;

/** Empty variables count as absent. */
export function readClientEnvironment(source: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  return clientEnvironmentSchema.parse(presentIn(source));
}

/**
 * How long cache entries live, s; null for as long as Redis likes. Only a cache that shares the queue's Redis needs an
 * end: that one evicts nothing.
 */
export function cacheTtlSeconds(environment: Environment): number | null {
  const { EMBED_CACHE_REDIS_URL: cache, REDIS_URL: queue, EMBED_JOB_TTL_SECONDS: ttl } = environment;
  return cache === undefined || cache === queue ? ttl : null;
}

/** Whether spans are collected and sent. */
export function tracesOn(environment: Environment): boolean {
  const endpoint = environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint !== undefined && environment.OTEL_SDK_DISABLED?.toLowerCase() !== 'true';
}

/** Whether API keys are asked for, and why or why not, for the log. */
export function accessControl({ EMBED_AUTH: auth, EMBED_HOST: host }: Environment): {
  readonly on: boolean;
  readonly loopback: boolean;
  readonly why: string;
} {
  const loopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (auth !== 'auto') return { on: auth === 'on', loopback, why: `EMBED_AUTH=${auth}` };
  const why = `EMBED_HOST=${host} is ${loopback ? '' : 'not '}loopback only`;
  return { on: !loopback, loopback, why };
}
