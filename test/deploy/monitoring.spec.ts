import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { METRICS } from '#contracts';

const deploy = new URL('../../../deploy/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, deploy), 'utf8');

/** What prom-client adds to a histogram's name, and its metrics of the process. */
const SUFFIX = /_(bucket|count|sum)$/;
const OF_THE_PROCESS = ['process_resident_memory_bytes'];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const { groups } = parse(read('prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly w: number };
  readonly targets: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(read('grafana/embedmill.json')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
};

/** Names in a query that are metrics, as no function or label is written like them. */
function metricsOf(query: string): string[] {
  return [...query.matchAll(/\b(embedmill|process)_[a-z_]+/g)].map(([name]) => name);
}

function isKnown(name: string): boolean {
  const names: readonly string[] = [...Object.values(METRICS), ...OF_THE_PROCESS];
  return names.includes(name) || names.includes(name.replace(SUFFIX, ''));
}

it('alerts on metrics that there are, and says what to do', () => {
  expect(rules.length).toBeGreaterThanOrEqual(8);
  for (const { alert, annotations, expr, labels } of rules) {
    expect(metricsOf(expr)).not.toEqual([]);
    expect([alert, metricsOf(expr).filter((name) => !isKnown(name))]).toEqual([alert, []]);
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\w/);
    expect(annotations.description).toMatch(/\w/);
  }
});

it('scrapes with the alerts at hand', () => {
  const prometheus = parse(read('prometheus/prometheus.yml')) as { rule_files: string[] };
  expect(prometheus.rule_files).toEqual(['alerts.yml']);
});

it('draws metrics that there are, side by side and by variables that it has', () => {
  const variables = ['__rate_interval', ...dashboard.templating.list.map(({ name }) => name)];
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  for (const { gridPos, targets, title } of dashboard.panels) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (const { expr } of targets) {
      expect(metricsOf(expr)).not.toEqual([]);
      expect([title, metricsOf(expr).filter((name) => !isKnown(name))]).toEqual([title, []]);
      const used = [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name);
      expect([title, used.filter((name) => !variables.includes(name!))]).toEqual([title, []]);
    }
  }
});

it('stands the tests of promtool, where Debian’s package prometheus is installed', () => {
  const cwd = fileURLToPath(new URL('prometheus/', deploy));
  const run = (...args: string[]) => spawnSync('promtool', args, { cwd, encoding: 'utf8' });
  if (run('--version').error !== undefined) {
    console.warn('promtool is not installed: rules are parsed, not tested');
    return;
  }
  for (const { status, stderr, stdout } of [
    run('check', 'rules', 'alerts.yml'),
    run('test', 'rules', 'alerts.test.yml'),
  ]) {
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  }
});
