import { BootError } from '#contracts';
import { z } from 'zod';
import { accept, type JsonFile, parseFile, readClosed } from './closed-file.js';
import { sentenceModule } from './sentence-transformers.js';

/** One entry of `modules.json`. */
export interface SentenceModule {
  /** Path of its class, such as `sentence_transformers.models.Pooling`. */
  readonly type: string;
  /** Name of its class: `Pooling`. */
  readonly kind: string;
  /** Folder of its files, relative to the model's root; '' for the root itself. */
  readonly path: string;
}

/** Reads `modules.json`: the modules in the order in which they run. @throws BootError, one line */
export function readModules({ path, json }: JsonFile, warn: (warning: string) => void = () => {}): SentenceModule[] {
  return parseFile({ path, json }, z.array(z.unknown())).map((entry) => {
    const { path: folder, type } = accept(readClosed({ path, json: entry }, sentenceModule), warn);
    return { type, kind: type.split('.').at(-1) ?? type, path: relativeFolder(folder ?? '', path) };
  });
}

/** Modules whose results are not vectors of texts. */
export const HEAD_MODULES: readonly string[] = ['SpladePooling', 'LogitScore'];

/** Kinds of models, each by its modules in order: sentence-transformers runs them in the order of the file. */
const ORDERS = {
  Transformer: ['Transformer', 'Pooling', 'Dense', 'Normalize'],
  StaticEmbedding: ['StaticEmbedding', 'Dense', 'Normalize'],
} as const;

/** Whether the model is a table of tokens' vectors. */
export function isStatic(modules: readonly SentenceModule[]): boolean {
  return modules[0]?.kind === 'StaticEmbedding';
}

/** @throws BootError, one line, for modules that Embedmill cannot run, or not in this order */
export function requireRunnable(modules: readonly SentenceModule[], path: string): void {
  const known: readonly string[] = Object.values(ORDERS).flat();
  const alien = modules.find(({ kind }) => !known.includes(kind));
  if (alien !== undefined) {
    throw new BootError(`${path}: type is "${alien.type}", a module that Embedmill cannot run`);
  }
  const kinds = modules.map(({ kind }) => kind);
  const order: readonly string[] = ORDERS[isStatic(modules) ? 'StaticEmbedding' : 'Transformer'];
  // Several Dense modules may follow each other.
  const runs = kinds.filter((kind, n) => kind !== 'Dense' || kinds[n - 1] !== 'Dense');
  const inOrder = order.filter((kind) => kinds.includes(kind));
  const complete = kinds.includes('Pooling') || !kinds.includes('Dense') || isStatic(modules);
  if (kinds[0] === order[0] && complete && JSON.stringify(runs) === JSON.stringify(inOrder)) return;
  throw new BootError(
    `${path}: its modules are ${kinds.join(', ') || 'none'}; Embedmill runs ${ORDERS.Transformer.join(', ')} in this ` +
      `order, of which only Dense may come more than once, and not without Pooling, or ${ORDERS.StaticEmbedding.join(', ')}`,
  );
}

/** @throws BootError for a path that leaves the model's folder */
function relativeFolder(folder: string, file: string): string {
  const parts = folder.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || /^([/\\]|[a-zA-Z]:)/.test(folder)) {
    throw new BootError(`${file}: path is "${folder}", which is outside of the model's folder`);
  }
  return parts.join('/');
}
