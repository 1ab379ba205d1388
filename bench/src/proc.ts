import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** Reads CPU time and memory of processes from Linux's `/proc`. */

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Resident memory of a process, MiB. */
export interface Memory {
  readonly now: number;
  /** Maximum since the process began, or since `forgetPeak`. */
  readonly peak: number;
}

/** CPU time so far of all threads of a process and of its children that have ended, user and kernel, s. */
export function cpuSeconds(pid: number): number {
  const [own, children] = readTimes(`/proc/${pid}/stat`);
  return own + children;
}

/** CPU time so far of a process's main thread, s. */
export function mainThreadSeconds(pid: number): number {
  return readTimes(`/proc/${pid}/task/${pid}/stat`)[0];
}

/** CPU time so far of all programs on the machine, s. */
export function machineSeconds(): number {
  // user, nice, system, idle, iowait, irq, softirq, steal; see proc(5).
  const ticks = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const idle = ticks[3]! + ticks[4]!;
  return (ticks.reduce((sum, some) => sum + some, 0) - idle) / TICKS_PER_SECOND;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: mib('VmRSS'), peak: mib('VmHWM') };
}

/** Resets the peak of a process's memory. */
export function forgetPeak(pid: number): void {
  // `5` resets the peak resident set size; see proc(5).
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** utime + stime and cutime + cstime, s. */
function readTimes(file: string): [own: number, children: number] {
  const stat = readFileSync(file, 'utf8');
  // The second field is the program's name in brackets, which may contain spaces: the fields are counted after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (field: number) => Number(fields[field - 3]) / TICKS_PER_SECOND;
  return [seconds(14) + seconds(15), seconds(16) + seconds(17)];
}
