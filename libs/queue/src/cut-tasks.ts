import type { Operation, PlacedInput, TaskLimits } from '#contracts';

/** Inputs of one task; `positions[i]` are the positions of `inputs[i]`. */
export interface TaskInputs {
  readonly inputs: unknown[];
  readonly positions: number[][];
}

/** Groups inputs into tasks within the limits, in order. An input larger than `maxBytes` gets a task of its own. */
export function cutTasks(
  placed: readonly PlacedInput[],
  { bytes: bytesOf }: Pick<Operation, 'bytes'>,
  { maxInputs, maxBytes }: TaskLimits,
): TaskInputs[] {
  const tasks: TaskInputs[] = [];
  let task: TaskInputs | undefined;
  let bytes = 0;
  for (const { input, positions } of placed) {
    const size = bytesOf(input);
    if (task === undefined || task.inputs.length === maxInputs || bytes + size > maxBytes) {
      tasks.push((task = { inputs: [], positions: [] }));
      bytes = 0;
    }
    task.inputs.push(input);
    task.positions.push(positions);
    bytes += size;
  }
  return tasks;
}
