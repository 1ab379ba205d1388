/**
 * Entry of a process that is an API and a worker with the operation `score` beside the product's own. Scores have no route:
 * the parent asks by messages, and reads jobs and results through the front door.
 */
import { pino } from 'pino';
import { readEnvironment } from '#config';
import { ANYBODY, embed, Operations, rowFloats } from '#contracts';
import { createApi } from '../../apps/api/src/create-api.js';
import { Inputs } from '../../apps/api/src/input/inputs.js';
import { embedding } from '../../apps/api/src/output/embedding.js';
import { OutputShapes } from '../../apps/api/src/output/output-shape.js';
import { createServices as createApiServices } from '../../apps/api/src/services.js';
import { boot } from '../../apps/worker/src/boot.js';
import { createServices as createWorkerServices } from '../../apps/worker/src/services.js';
import { type Pair, score, scoreShape, scoringModels } from './score.js';

/** What the parent asks for. */
export interface ScoreRequest {
  /** `job`: accepts one and gives its id; `wait`: gives the scores. */
  readonly kind: 'job' | 'wait';
  readonly options: Readonly<Record<string, unknown>>;
  readonly pairs: readonly Pair[];
}

/** What it is told. */
export type ScoreReply =
  | { readonly url: string }
  | { readonly id: string }
  | { readonly scores: number[]; readonly cached: readonly boolean[]; readonly computed: number };

const environment = readEnvironment();
const log = pino({ level: 'silent' });
const operations = new Operations([embed, score]);
/** Rows that the device computed. */
let computed = 0;
const source = scoringModels((rows) => {
  computed += rows;
});
await boot(createWorkerServices(environment, log, { operations, source }));
const shapes = new OutputShapes([embedding, scoreShape]);
const services = createApiServices(environment, log, { operations, shapes });
await services.connections.ready(services.redisPatienceMs);
const app = await createApi(services);
await app.listen(0, '127.0.0.1');
tell({ url: await app.getUrl() });

process.on('message', (request: ScoreRequest) => void answer(request).then(tell));

async function answer({ kind, options, pairs }: ScoreRequest): Promise<ScoreReply> {
  const asked = { model: environment.EMBED_MODELS[0]!.name, truncate: 'end' as const, ...options };
  const plan = await services.planner.plan(score.name, asked, 'bulk', ANYBODY, 'test');
  const inputs = new Inputs(pairs, { alone: false });
  if (kind === 'job') return { id: (await services.intake.take(plan, inputs)).id };
  const { rows, cached } = await services.interactive.compute(plan, inputs, new AbortController().signal);
  return { scores: rows.map((row) => rowFloats(row)[0]!), cached, computed };
}

function tell(reply: ScoreReply): void {
  process.send!(reply);
}
