import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether a program can be started by its name. */
export function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    for (const ending of process.platform === 'win32' ? ['.exe', '.cmd'] : ['']) {
      try {
        accessSync(join(folder, program + ending), constants.X_OK);
        return true;
      } catch {}
    }
    return false;
  });
}
