import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { BootError } from '#contracts';

/** What the process that holds a data folder records about itself. */
interface Note {
  readonly pid: number;
  /** Loopback port on which the holder answers with the folder's path: its process id may have been reused since. */
  readonly port: number;
  /** Ports of the Redis servers that use this folder. */
  readonly redisPorts: readonly number[];
}

/**
 * The folder in which one `embedmill up` keeps its Redis files. Two processes on the same folder would damage each
 * other's files, so the folder is locked while in use.
 */
export class DataFolder {
  readonly path: string;
  readonly #server: Server;
  readonly #port: number;

  private constructor(path: string, server: Server, port: number) {
    this.path = path;
    this.#server = server;
    this.#port = port;
  }

  /**
   * Creates the folder if it is missing, and locks it.
   * @throws BootError when another process has locked it
   */
  static async hold(folder: string): Promise<DataFolder> {
    mkdirSync(folder, { recursive: true });
    // Redis reports its folder as a real path.
    const path = realpathSync(folder);
    const server = createServer((socket) => socket.end(path));
    const port = await new Promise<number>((done, failed) => {
      server.once('error', failed);
      server.listen({ port: 0, host: '127.0.0.1' }, () => {
        const address = server.address();
        done(typeof address === 'object' && address ? address.port : 0);
      });
    });
    server.unref();
    try {
      await takeNote(path, port);
    } catch (error) {
      server.close();
      throw error;
    }
    return new DataFolder(path, server, port);
  }

  /** Path of a folder inside; the caller creates it. */
  within(name: string): string {
    return join(this.path, name);
  }

  /** Must be called before the Redis servers start, so that the next holder can stop them if this process is killed. */
  noteRedisPorts(redisPorts: readonly number[]): void {
    writeFileSync(noteFile(this.path), JSON.stringify({ pid: process.pid, port: this.#port, redisPorts }));
  }

  release(): void {
    rmSync(noteFile(this.path), { force: true });
    this.#server.close();
  }
}

async function takeNote(path: string, port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const note: Note = { pid: process.pid, port, redisPorts: [] };
      writeFileSync(noteFile(path), JSON.stringify(note), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 0) throw error;
    }
    const earlier = readNote(path);
    if (earlier && (await ask(earlier.port, '')) === path) {
      throw new BootError(`${path} is in use by another embedmill (process ${earlier.pid}); stop it, or choose --data`);
    }
    for (const redisPort of earlier?.redisPorts ?? []) await stopLeftover(redisPort, path);
    rmSync(noteFile(path), { force: true });
  }
}

function noteFile(path: string): string {
  return join(path, 'up.json');
}

function readNote(path: string): Note | null {
  try {
    return JSON.parse(readFileSync(noteFile(path), 'utf8')) as Note;
  } catch {
    return null;
  }
}

/** Stops a Redis whose supervisor was killed: it still writes to this folder, and must end before another starts. */
async function stopLeftover(port: number, path: string): Promise<void> {
  const dir = await ask(port, 'CONFIG GET dir\r\nQUIT\r\n');
  if (!dir?.includes(path)) return;
  await ask(port, 'SHUTDOWN\r\n');
}

/**
 * Connects to a loopback port, sends `words`, and reads until the other side closes, or is silent for 10 s.
 * @returns null when nothing listens or nothing was received
 */
function ask(port: number, words: string): Promise<string | null> {
  return new Promise((done) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(words));
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => done(answer === '' ? null : answer));
  });
}
