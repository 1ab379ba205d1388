import { BootError } from '#contracts';
import { z } from 'zod';
import { type JsonFile, parseFile } from './config/closed-file.js';
import type { Prompts } from './prompts.js';

/** A task that a model has an adapter for. */
export interface Task {
  /** Its number, which the graph takes. */
  readonly id: number;
  /** null: `config.json` names no tasks. */
  readonly name: string | null;
  /** Names of the model's other tasks. */
  readonly others: readonly string[];
}

/** In the order of their numbers. */
const members = z.object({ lora_adaptations: z.array(z.string()).nullish() });

/** Names of a model's tasks. @throws BootError, one line, when they are no list of names */
export function tasksIn(file: JsonFile): readonly string[] {
  return parseFile(file, members).lora_adaptations ?? [];
}

/**
 * The task that `models.json` sets, by name or number.
 * @throws BootError, one line, for one that the model does not have
 */
export function taskOf(file: JsonFile, asked: string | number | undefined, source: string): Task | null {
  if (asked === undefined) return null;
  const names = tasksIn(file);
  const id = typeof asked === 'number' ? asked : names.indexOf(asked);
  if (id < 0 || (names.length > 0 && id >= names.length)) {
    const known = names.map((name, n) => `${JSON.stringify(name)} (${n})`).join(', ');
    throw new BootError(
      `${source}: task is ${JSON.stringify(asked)}, which is not in lora_adaptations of ${file.path}: ${known || 'it has none'}`,
    );
  }
  return { id, name: names[id] ?? null, others: names.filter((_, n) => n !== id) };
}

/**
 * The prompts of a model that serves one task: without those of its other tasks, and by default with the task's own, as
 * the model's own code does it.
 * @param given whether models.json sets the default prompt
 * @throws BootError when that is one of another task
 */
export function promptsForTask(all: Prompts, task: Task | null, given: boolean, source: string): Prompts {
  if (task === null) return all;
  const prompts = Object.fromEntries(Object.entries(all.prompts).filter(([name]) => !task.others.includes(name)));
  const has = (name: string | null): name is string => name !== null && Object.hasOwn(prompts, name);
  if (given && all.defaultPrompt !== null && !has(all.defaultPrompt)) {
    throw new BootError(`${source}: defaultPrompt is "${all.defaultPrompt}", the prompt of another task than its own`);
  }
  const own = given ? [] : [task.name];
  return { ...all, prompts, defaultPrompt: [...own, all.defaultPrompt].find(has) ?? null };
}
