import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { say, step } from './step.mjs';

const folders = ['apps', 'libs', 'bench', 'test'].filter((folder) => existsSync(folder));
const settings = ['tsconfig.json', 'nest-cli.json', 'package.json', 'package-lock.json'];
/** Its modification time is the start of the last successful build. */
const mark = 'dist/.built';
const dashboard = { folder: 'apps/dashboard', site: 'dist/apps/dashboard/site', mark: 'dist/.built-dashboard' };

/** Builds what is out of date: services, libraries and tests with the compiler, the dashboard with Vite. */
export async function ensureBuild() {
  buildServices();
  buildDashboard();
}

/** Builds when a source is newer than the last successful build, an output is missing, or an output has no source. */
function buildServices() {
  const sources = folders.flatMap(filesUnder).filter((file) => /\.(ts|lua)$/.test(file));
  const lost = folders
    .map((folder) => join('dist', folder))
    .filter((folder) => existsSync(folder))
    .flatMap(filesUnder)
    .filter((file) => !file.startsWith(join(dashboard.site, sep)) && !existsSync(sourceOf(file)));
  // Otherwise tests of deleted source files would still run.
  for (const file of lost) rmSync(file);

  const missing = sources.some((file) => !file.endsWith('.d.ts') && !isOfPage(file) && !existsSync(outputOf(file)));
  // The compiler relies on its build info, and would not write a missing output again.
  if (missing) rmSync('dist/.tsbuildinfo', { force: true });

  if (isFresh([...sources, ...settings], mark) && !missing && lost.length === 0) return;
  build('building …', ['node_modules/@nestjs/cli/bin/nest.js', 'build'], mark);
}

/** Builds when a file of the dashboard is newer than its last successful build, or its page is missing. */
function buildDashboard() {
  const sources = [...filesUnder(dashboard.folder), 'package.json', 'package-lock.json'];
  if (isFresh(sources, dashboard.mark) && existsSync(join(dashboard.site, 'index.html'))) return;
  build('building the dashboard …', ['node_modules/vite/bin/vite.js', 'build', dashboard.folder], dashboard.mark);
}

function isFresh(sources, mark) {
  const built = existsSync(mark) ? statSync(mark).mtimeMs : 0;
  return sources.every((file) => statSync(file).mtimeMs < built);
}

function build(what, command, mark) {
  say(what);
  const began = new Date();
  const seconds = step(process.execPath, command);
  writeFileSync(mark, '');
  utimesSync(mark, began, began);
  say(`built in ${seconds} s`);
}

/** Whether only Vite builds the file: the dashboard's sources, except its specs, which the compiler builds. */
function isOfPage(file) {
  return file.startsWith(join(dashboard.folder, sep)) && !file.endsWith('.spec.ts');
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function outputOf(source) {
  return join('dist', source.replace(/\.ts$/, '.js'));
}

function sourceOf(output) {
  return output.replace(/^dist[/\\]/, '').replace(/\.js(\.map)?$/, '.ts');
}
