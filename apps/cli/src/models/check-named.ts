import { BootError } from '#contracts';
import { checkModel, type ModelCheck } from '#model';
import { whole } from '../progress.js';
import type { Terminal } from '../terminal.js';
import { environmentFor, type LoadOptions, servedAs, sourcesOf } from './models.js';

/**
 * Says in one line whether a worker could run a model, with what, and what is missing.
 * @returns whether it runs
 */
export async function checkNamed(name: string, options: LoadOptions, terminal: Terminal): Promise<boolean> {
  const environment = environmentFor(options);
  try {
    const { warnings, ...check } = await checkModel(servedAs(name, environment), {
      ...sourcesOf(environment),
      dtype: environment.EMBED_DTYPE,
      device: environment.EMBED_DEVICE,
      deviceMemory: environment.EMBED_DEVICE_MEMORY,
    });
    if (options.json) terminal.say(JSON.stringify({ name, runs: true, ...check, warnings }, null, 2));
    else terminal.say(`${name} runs: ${described(check)}`);
    if (!options.json) for (const warning of warnings) console.error(warning);
    return true;
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    const { message } = error;
    terminal.say(
      options.json
        ? JSON.stringify({ name, runs: false, reason: message }, null, 2)
        : `${name} does not run: ${message}`,
    );
    return false;
  }
}

/** Everything that the files say of how it runs. */
function described(check: Omit<ModelCheck, 'warnings'>): string {
  const { architecture, dimensions, graph, graphRead, matryoshka, maxTokens, source } = check;
  const family = architecture === 'other' ? '' : ` (${architecture})`;
  const how = graph === 'compiled' ? `${architecture} compiled from its weights` : `its ONNX file${family}`;
  const length = dimensions === null ? 'a length known after a run' : `${whole(dimensions)} dimensions`;
  const shorter = matryoshka.length === 0 ? '' : ` (or ${matryoshka.join(', ')})`;
  return [
    `${source}, ${how}`,
    dtypesOf(check),
    poolingOf(check),
    promptsOf(check),
    `at most ${whole(maxTokens)} tokens`,
    `${length}${shorter}`,
    ...(graphRead ? [] : ['its ONNX file is read when it is downloaded, and may be refused then']),
  ].join('; ');
}

function dtypesOf({ dtype, otherDtypes }: Pick<ModelCheck, 'dtype' | 'otherDtypes'>): string {
  return otherDtypes.length === 0 ? dtype : `${dtype} (also ${otherDtypes.join(', ')})`;
}

function poolingOf({ normalize, pooling }: Pick<ModelCheck, 'normalize' | 'pooling'>): string {
  const by = pooling === null ? 'pooling by its own graph' : `pooling ${pooling}`;
  return normalize ? `${by}, normalised` : by;
}

function promptsOf({
  defaultPrompt,
  instruction,
  prompts,
}: Pick<ModelCheck, 'defaultPrompt' | 'instruction' | 'prompts'>): string {
  const names = Object.keys(prompts);
  const known = names.length === 0 ? 'no prompts' : `prompts ${names.join(', ')}`;
  return [
    known,
    ...(defaultPrompt === null ? [] : [`by default ${defaultPrompt}`]),
    ...(instruction === null ? [] : ['free instructions']),
  ].join(', ');
}
