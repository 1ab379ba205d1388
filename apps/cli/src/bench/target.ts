import type { ModelObject } from '#contracts';
import { clientOf, type Connection } from '../connection.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { servedModel } from '../served-model.js';

/** The deployment to measure, and one of its models. */
export interface Target extends Connection {
  readonly model: ModelObject;
}

/**
 * Finds the model to measure, and checks that a worker for it is ready.
 * @param name default: the first served model
 * @throws CommandError, one line that says what to do; EmbedmillError when the deployment does not answer
 */
export async function findTarget(connection: Connection, name: string | undefined): Promise<Target> {
  const model = await servedModel(clientOf(connection), name);
  if (model.ready_workers > 0) return { ...connection, model };
  throw new CommandError(EXIT.error, `no worker of ${model.id} is ready at ${connection.url}: start one`);
}
