import { Presets, SingleBar } from 'cli-progress';
import type { DownloadProgress } from '#model';
import { whole } from '../progress.js';
import { terminal } from '../terminal.js';

const MIB = 1024 * 1024;

/** Progress of downloads on standard error: a live bar in a terminal, else one line per file. */
export class DownloadBar {
  readonly #terminal = terminal(process.stderr);
  readonly #bar = new SingleBar(
    {
      format: '  {bar} {file}  {words}',
      barsize: 28,
      hideCursor: true,
      stream: process.stderr,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  #file = '';

  readonly show = ({ done, file, total }: DownloadProgress): void => {
    const words = `${whole(done / MIB)}/${whole(total / MIB)} MiB`;
    if (file !== this.#file) {
      this.#file = file;
      this.close();
      if (this.#terminal.interactive) this.#bar.start(total, done, { file, words });
      else this.#terminal.say(`  ${file}  ${whole(total / MIB)} MiB`);
    }
    if (this.#bar.isActive) this.#bar.update(done, { file, words });
  };

  close(): void {
    if (this.#bar.isActive) this.#bar.stop();
  }
}
