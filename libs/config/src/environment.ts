import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { BootError, dtypeSchema } from '#contracts';
import { z } from 'zod';
import { presentIn } from './present.js';
import { device, integer, modelList, originList, redisUrl } from './variable-types.js';

const KIB = 1024;
const MIB = 1024 * KIB;

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
  /** Longest that a JSON body takes to come, and that an upload says nothing. */
  EMBED_BODY_TIMEOUT_MS: integer(100, 3_600_000, 60_000),
  /** Largest JSON body. NDJSON uploads have no limit of this kind. */
  EMBED_MAX_BODY_BYTES: integer(KIB, 1024 * MIB, 32 * MIB),
  /** Inputs of one `POST /v1/embeddings`. */
  EMBED_MAX_INPUTS: integer(1, 1_000_000, 2048),
  /** One text, UTF-8. */
  EMBED_MAX_TEXT_BYTES: integer(64, 64 * MIB, MIB),
  /** Unfinished bulk texts of one model above which JSON jobs get 429 and uploads are slowed. */
  EMBED_MAX_QUEUED_TEXTS: integer(1, 1_000_000_000, 2_000_000),
  /** Texts of waiting requests, per API process and model, above which further ones get 429. */
  EMBED_MAX_WAITING_TEXTS: integer(1, 10_000_000, 20_000),
  /** Longest a request waits for its answer. */
  EMBED_WAIT_TIMEOUT_MS: integer(100, 3_600_000, 60_000),
  /** In-process cache in front of the shared one, per API process. */
  EMBED_LRU_BYTES: integer(0, 64 * 1024 * MIB, 64 * MIB),
  /** How long jobs and their results are kept after the last change. */
  EMBED_JOB_TTL_SECONDS: integer(10, 31_536_000, 86_400),

  /** `cpu`, `webgpu`, `cuda` or `cuda:N`. A worker refuses to start without it. */
  EMBED_DEVICE: device.default('cpu'),
  /** Default: fp32 on cpu, fp16 elsewhere. */
  EMBED_DTYPE: dtypeSchema.optional(),
  /** Intra-op threads of a CPU device. */
  EMBED_THREADS: integer(1, 1024, availableParallelism()),
  /** Padded tokens (rows x longest row) of a micro-batch. Default: the least that the device is about as fast with as with any, found when it warms up. */
  EMBED_TOKEN_BUDGET: z.coerce.number().int().min(8).max(4_194_304).optional(),
  /** Share of micro-batches that bulk gets while queries keep coming. */
  EMBED_BULK_SHARE: z.coerce.number().min(0.01).max(0.99).default(0.2),
  /** A task's lease; a killed worker's tasks start again after this, and half of it at most until they are found. */
  EMBED_LOCK_MS: integer(1000, 600_000, 10_000),
  /** How often a worker checks its devices with a golden text, s; 0: only at its start. */
  EMBED_CANARY_SECONDS: z.coerce.number().min(0).max(86_400).default(60),
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
