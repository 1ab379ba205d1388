/**
 * Run after every `npm install PACKAGE`: adds to package-lock.json the optional packages of other platforms (prebuilt
 * binaries) that the registry in use does not carry. npm leaves them out, and then `npm ci` refuses the lock file on
 * every machine. With `--check` it only says whether some are missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { packages } = lock;
const missing = Object.entries(packages).flatMap(([from, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !isLocked(name, from))
    .map(([name, version]) => ({ name, version, dev })),
);

if (process.argv.includes('--check')) {
  for (const { name } of missing)
    console.error(`package-lock.json: ${name} is missing: node scripts/complete-lock.mjs`);
  if (missing.length > 0) process.exitCode = 1;
} else if (missing.length > 0) {
  for (const { name, version, dev } of missing) {
    packages[`node_modules/${name}`] = { version, ...platformOf(name), ...(dev && { dev }), optional: true };
  }
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} packages of other platforms added`);
}

/** Looks a package up as Node does: in `node_modules` of the dependent, then of every folder above. */
function isLocked(name, from) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]) return true;
    if (at === '') return false;
  }
}

/** `@oxlint/binding-linux-x64-musl` -> `{cpu: ['x64'], libc: ['musl'], os: ['linux']}`. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const named = (known) => known.filter((word) => words.includes(word));
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : [];
  const cpu = named(['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64']);
  const os = named(['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']);
  if (cpu.length !== 1 || os.length !== 1) throw new Error(`which platform is ${name} for?`);
  return { cpu, ...(libc.length > 0 && os[0] === 'linux' && { libc }), os };
}
