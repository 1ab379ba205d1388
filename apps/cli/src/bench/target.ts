import type { ModelObject } from '#contracts';
import { clientOf, type Connection } from '../connection.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { servedModel } from '../served-model.js';

/** A deployment to be measured, and one of its models. */
export interface Target extends Connection {
  readonly model: ModelObject;
}

/**
 * Looks whether a deployment answers and has a worker for a model.
 * @param name absent: the first that is served
 * @throws CommandError, one line that says what to do
 */
export async function findTarget(connection: Connection, name: string | undefined): Promise<Target> {
  const model = await servedModel(clientOf(connection), name);
  if (model.ready_workers > 0) return { ...connection, model };
  throw new CommandError(EXIT.error, `no worker of ${model.id} is ready at ${connection.url}: start one`);
}
