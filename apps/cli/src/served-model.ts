import type { EmbedmillClient } from '#client';
import type { ModelObject } from '#contracts';
import { CommandError, EXIT } from './exit-codes.js';

/**
 * Finds one of the models that a deployment serves.
 * @param name default: the first served model
 * @throws CommandError when the model is not served, EmbedmillError when the deployment does not answer
 */
export async function servedModel(client: EmbedmillClient, name: string | undefined): Promise<ModelObject> {
  const models = await client.models.list();
  const found = name === undefined ? models[0] : models.find(({ id }) => id === name);
  if (found !== undefined) return found;
  if (models.length === 0) throw new CommandError(EXIT.error, `${client.baseUrl} serves no model yet: start a worker`);
  const known = models.map(({ id }) => id).join(', ');
  throw new CommandError(EXIT.error, `${client.baseUrl} serves no model "${name}", but ${known}`);
}
