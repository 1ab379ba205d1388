import type { ModelObject } from '#contracts';
import { CommandError, EXIT } from './exit-codes.js';
import type { Rest } from './rest.js';

/**
 * One of the models that a deployment serves.
 * @param name absent: the first
 * @throws CommandError when it is not served
 */
export async function servedModel(rest: Rest, name: string | undefined): Promise<ModelObject> {
  const models = await rest.models();
  const found = name === undefined ? models[0] : models.find(({ id }) => id === name);
  if (found !== undefined) return found;
  if (models.length === 0) throw new CommandError(EXIT.error, `${rest.url} serves no model yet: start a worker`);
  const known = models.map(({ id }) => id).join(', ');
  throw new CommandError(EXIT.error, `${rest.url} serves no model "${name}", but ${known}`);
}
