import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { BootError, dtypeSchema } from '#contracts';
import { z } from 'zod';
import { presentIn } from './present.js';
import { bytes, device, integer, modelList, originList, redisUrl } from './variable-types.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every environment variable that API and workers read, with its default; they share one environment. Units are in
 * the names. `scripts/environment-table.mjs` copies the docstrings to docs/operations.md; it needs a docstring's first
 * line on the line of the opening.
 */
export const environmentSchema = z.object({
  /** PEM file of the certificate authority that signs Redis's certificate, for `rediss` URLs. Default: Node's own. */
  EMBED_REDIS_TLS_CA: z.string().optional(),
  /** PEM file of a client certificate, if Redis requires one. */
  EMBED_REDIS_TLS_CERT: z.string().optional(),
  /** PEM file of the client certificate's key. */
  EMBED_REDIS_TLS_KEY: z.string().optional(),
  /** Redis for queue, job records and results: one server, Sentinels or a cluster. Needs AOF and `noeviction`. */
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  /** Redis for the shared cache; it may go down or lose data at any time. Default: the same as `REDIS_URL`. */
  EMBED_CACHE_REDIS_URL: redisUrl.optional(),
  /** Prefix of every Redis key. */
  EMBED_KEY_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .default('em'),
  /** Models to serve, comma-separated: `name` or `name=source`. The source is a folder, a name in `models.json`, an npm
   * package or a hub id (`@revision` allowed). */
  EMBED_MODELS: modelList.prefault('all-MiniLM-L6-v2'),
  /** Lowest level that is logged. */
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  /** Address that the API and the workers listen on. */
  EMBED_HOST: z.string().default('127.0.0.1'),
  /** Port of the API; 0: any free port. */
  EMBED_PORT: integer(0, 65535, 8080),
  /** Whether API keys are required. `auto`: required unless `EMBED_HOST` is a loopback address. */
  EMBED_AUTH: z.enum(['auto', 'on', 'off']).default('auto'),
  /** An admin API key besides those of `embedmill keys create`, such as the first key of a container deployment. */
  EMBED_ADMIN_KEY: z.string().min(32, 'must have 32 characters or more').max(200).optional(),
  /** Origins whose pages may call the API in browsers, comma-separated: `https://app.example`. Default: none. */
  EMBED_CORS_ORIGINS: originList.prefault(''),
  /** Embedding and job requests per minute of an API key without its own limit, over all API processes. Default: no
   * limit. */
  EMBED_RATE_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  /** The same for tokens: first estimated from bytes, then corrected to the real number. */
  EMBED_RATE_TOKENS_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  /** Longest time for a JSON body to arrive, and longest pause within an NDJSON upload. */
  EMBED_BODY_TIMEOUT_MS: integer(100, 3_600_000, 60_000),
  /** Largest JSON body. NDJSON uploads have no such limit. */
  EMBED_MAX_BODY_BYTES: integer(KIB, 1024 * MIB, 32 * MIB),
  /** Maximum number of inputs of one `POST /v1/embeddings`. */
  EMBED_MAX_INPUTS: integer(1, 1_000_000, 2048),
  /** Longest text, in UTF-8. */
  EMBED_MAX_TEXT_BYTES: integer(64, 64 * MIB, MIB),
  /** Limit on unfinished job texts per model, above which JSON jobs get 429 and NDJSON uploads are slowed. */
  EMBED_MAX_QUEUED_TEXTS: integer(1, 1_000_000_000, 2_000_000),
  /** Limit on texts of waiting requests, per API process and model, above which further requests get 429. */
  EMBED_MAX_WAITING_TEXTS: integer(1, 10_000_000, 20_000),
  /** Longest time that a request waits for its result. */
  EMBED_WAIT_TIMEOUT_MS: integer(100, 3_600_000, 60_000),
  /** Size of the in-process cache in front of the shared one, per API process; 0: none. */
  EMBED_LRU_BYTES: integer(0, 64 * 1024 * MIB, 64 * MIB),
  /** How long jobs and their results are kept after their last change. */
  EMBED_JOB_TTL_SECONDS: integer(10, 31_536_000, 86_400),

  /** `cpu`, `webgpu`, `cuda` or `cuda:N`. A worker does not start if the device is not available. */
  EMBED_DEVICE: device.default('cpu'),
  /** What the attention of one micro-batch may take of the device's memory, of each model: `8GiB`, `512MiB` or bytes.
   * Fewer texts run together, and fewer tokens of a text are served, where more would not fit; must be alike on all
   * workers of a model. Default: half of the machine's or container's memory in whole GiB on cpu, 8 GiB elsewhere. */
  EMBED_DEVICE_MEMORY: bytes(MIB, 16 * 1024 * 1024 * MIB).optional(),
  /** `fp32`, `fp16` or `int8`. Default: fp32 on cpu, fp16 elsewhere, or what the model has of the two. */
  EMBED_DTYPE: dtypeSchema.optional(),
  /** Intra-op threads of a CPU device. */
  EMBED_THREADS: integer(1, 1024, availableParallelism()),
  /** Padded tokens (rows x longest row) of a micro-batch. Default: the smallest number with which the device is about
   * as fast as with any, measured at warm-up. */
  EMBED_TOKEN_BUDGET: z.coerce.number().int().min(8).max(4_194_304).optional(),
  /** Share of micro-batches that the bulk lane gets while interactive requests keep coming. */
  EMBED_BULK_SHARE: z.coerce.number().min(0.01).max(0.99).default(0.2),
  /** Lease of a task. The tasks of a killed worker start again after at most 1.5 times this. */
  EMBED_LOCK_MS: integer(1000, 600_000, 10_000),
  /** How often a worker tests its device with an example text, seconds; 0: only at its start. */
  EMBED_CANARY_SECONDS: z.coerce.number().min(0).max(86_400).default(60),
  /** How long a worker may take after SIGTERM to finish its tasks; unfinished ones go back to the queue. */
  EMBED_DRAIN_MS: integer(0, 3_600_000, 30_000),
  /** Port of a worker's health and metrics endpoints; 0: any free port, shown in the worker's registry record. */
  EMBED_METRICS_PORT: integer(0, 65535, 0),
  /** Folder of downloaded and compiled models. */
  EMBED_MODEL_DIR: z.string().default(join(homedir(), '.cache', 'embedmill')),
  /** Path of `models.json`: name -> source and overrides. */
  EMBED_MODELS_FILE: z.string().optional(),
  /** Hugging Face hub, or a mirror of it. */
  HF_ENDPOINT: z.url().default('https://huggingface.co'),
  /** Access token for models of the hub that require one. */
  HF_TOKEN: z.string().optional(),

  /** URL of an OpenTelemetry collector, OTLP over HTTP with JSON. Default: no traces. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  /** The same for traces only. The URL is used unchanged: nothing is appended to its path. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url().optional(),
  /** `true`: no traces, even if an endpoint is set. */
  OTEL_SDK_DISABLED: z.string().optional(),
});

/** Variables whose values are never printed: they are, or may contain, passwords. */
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
 * @throws BootError, one line that names every invalid variable and what is wrong with its value
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
