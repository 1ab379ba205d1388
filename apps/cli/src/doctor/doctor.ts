import { styleText } from 'node:util';
import { type Environment, readEnvironment, unknownVariables } from '#config';
import type { Connection } from '../connection.js';
import { EXIT } from '../exit-codes.js';
import type { Terminal } from '../terminal.js';
import { type Check, fail, ok, reasonOf, warn } from './check.js';
import { checkApi } from './check-api.js';
import { checkDevice, checkDisk, checkModels, checkNode } from './check-machine.js';
import { checkRedis } from './check-redis.js';

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/**
 * Checks everything that a deployment needs, as this machine's environment configures it, and prints the results.
 * @param connection null: no API is checked
 * @returns exit code: 1 when a check fails, else 0
 */
export async function doctor(connection: Connection | null, json: boolean, terminal: Terminal): Promise<number> {
  const checks = [
    checkNode(),
    ...(await checkEnvironment()),
    ...(connection === null ? [] : await checkApi(connection)),
  ];
  const failed = checks.filter(({ status }) => status === 'fail').length;
  if (json) {
    terminal.say(JSON.stringify({ ok: failed === 0, checks }, null, 2));
  } else {
    for (const check of checks) printCheck(check, terminal);
    const warned = checks.filter(({ status }) => status === 'warn').length;
    terminal.say(`\n${checks.length - failed - warned} ok, ${warned} warnings, ${failed} failures`);
  }
  return failed === 0 ? EXIT.ok : EXIT.error;
}

async function checkEnvironment(): Promise<Check[]> {
  let environment: Environment;
  try {
    environment = readEnvironment();
  } catch (error) {
    return [fail('configuration', reasonOf(error), 'correct the variables; docs/operations.md lists them')];
  }
  return [
    ok('configuration', 'every variable can be read'),
    ...unknownVariables().map((found) => warn('configuration', found, 'correct or remove it')),
    ...(await checkRedis(environment)),
    await checkDevice(environment),
    ...(await checkModels(environment)),
    await checkDisk(environment),
  ];
}

function printCheck({ advice, found, name, status }: Check, terminal: Terminal): void {
  const label = status.padEnd(4);
  terminal.say(`${terminal.colours ? styleText(COLOURS[status], label) : label}  ${name.padEnd(24)}  ${found}`);
  if (advice !== null) terminal.say(`${' '.repeat(32)}-> ${advice}`);
}
