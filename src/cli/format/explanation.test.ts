import { expect, test } from 'vitest';
import { aRecord, aTask } from '../../../test/builders/container.ts';
import { aConfig, aResult, aRun, aState, T0 } from '../../../test/builders/health.ts';
import { golden } from '../../../test/golden/golden.ts';
import type { ExplainedField } from '../../container/explain/explain.ts';
import { checkKindOf } from '../../health/config.ts';
import { viewFrom } from '../../record/view.ts';
import { type Explained, explanationPage, explanationValue } from './explanation.ts';
import { renderSingle } from './single.ts';

const CHECK = ['CMD-SHELL', 'curl -f http://localhost:8080/ready || exit 1'];
const fields: readonly ExplainedField[] = [
  { key: 'Test', value: CHECK, text: JSON.stringify(CHECK), origin: 'image' },
  { key: 'Interval', value: 10e9, text: '10s', origin: 'flag' },
  { key: 'Timeout', value: 30e9, text: '30s', origin: 'default' },
  { key: 'StartPeriod', value: 5e9, text: '5s', origin: 'update' },
  { key: 'Retries', value: 2, text: '2', origin: 'unknown' },
  { key: 'Exec', value: 'resident', text: 'resident', origin: 'configuration' },
];

const record = aRecord({ id: `4e4a9009c56e${'0'.repeat(52)}`, labels: { 'nerdctl/name': 'web' } });
const explained: Explained = {
  explanation: {
    view: viewFrom({ record, task: aTask(), run: aRun() }),
    state: aState({ status: 'unhealthy', failingStreak: 2 }),
    fields,
    log: [
      aResult(10_000, 0),
      aResult(20_000, 1, '/bin/sh: 1: curl: not found\n'),
      aResult(30_000, 1, '/bin/sh: 1: curl: \x1b[31mnot found'),
      aResult(40_000, 1, '/bin/sh: 1: curl: not found\nsecond line'),
      aResult(50_000, -1, 'Health check exceeded timeout (30s)'),
    ],
    verdict: {
      kind: 'checked',
      config: { ...aConfig({ test: CHECK }), kind: checkKindOf(CHECK) },
      findings: [
        { kind: 'timed-out', count: 1, timeoutMs: 30_000, usualMs: 12.4, longerMs: 60_000 },
        { kind: 'no-program', count: 3, program: 'curl' },
        { kind: 'short-start-period', startPeriodMs: 5_000, tookMs: 40_123, needMs: 90_000, isStarting: false },
      ],
    },
  },
  checker: { kind: 'monitor', pid: 4711 },
  nextCheckAtMs: T0 + 60_000,
  nowMs: T0 + 55_000,
  program: ['healthctl'],
};

test('the page of explain', () => {
  const page = explanationPage(explained);
  expect(page).toBe(golden('screens/explain.txt', page));
});

test('says that no checks are made', () => {
  const page = explanationPage({
    ...explained,
    ...{ nextCheckAtMs: undefined, program: ['healthctl', '--namespace', 'a b'] },
    checker: { kind: 'nobody', why: 'no monitor runs', remedy: 'start the monitor', command: ['daemon', 'start'] },
  });
  expect(page).toContain(' Checked by:        nobody: no monitor runs\n Next check:        none\n');
  expect(page).toContain(
    "Likely reasons:\n * nobody checks it on schedule: no monitor runs\n   start the monitor\n     healthctl --namespace 'a b' daemon start\n",
  );
});

test('shows a container without a check', () => {
  const page = explanationPage({
    ...explained,
    explanation: {
      ...{ view: viewFrom({ record, task: undefined, run: undefined }), state: undefined, fields: [], log: [] },
      verdict: { kind: 'unchecked', what: 'it has none', remedy: 'give it one' },
    },
  });
  expect(page).toBe(
    [
      ...['Container:', ' Name:              web', ' ID:                4e4a9009c56e', ' Image:             demo:1'],
      ...[' State:             created', ' Health:            none', ''],
      ...['Check:', ' Checked by:        nobody: there is no check', ''],
      ...['Likely reasons:', ' * it has none', '   give it one', ''],
    ].join('\n'),
  );
});

test.each([
  [T0 + 40_000, 'now; it was due 15 seconds ago'],
  [undefined, 'none'],
])('shows the next check: %s', (nextCheckAtMs, text) => {
  expect(explanationPage({ ...explained, nextCheckAtMs })).toContain(` Next check:        ${text}\n`);
});

test('prints a document', () => {
  const show = (format: string) => renderSingle(explanationValue(explained), format);
  expect(show('{{.Name}} {{.State}} {{.Health.Status}} {{.Health.FailingStreak}}')).toBe('web running unhealthy 2\n');
  expect(show('{{.Healthcheck.Interval}} {{.Origins.Interval}} {{.CheckedBy.Kind}} {{.CheckedBy.Pid}}')).toBe(
    '10000000000 flag monitor 4711\n',
  );
  expect(show('{{range .Reasons}}{{.Kind}}:{{.Count}} {{end}}{{len .Failures}} {{.NextCheck}}')).toBe(
    'timed-out:1 no-program:3 short-start-period:0 4 2026-01-01T00:01:00Z\n',
  );
});

const ENDED = aTask({ status: 'stopped', exitStatus: 7 });
test.each([
  ['ended by itself', {}, ENDED, 'it ended with 7', 'see in its output why', 'logs --tail 20 web'],
  [
    ...(['was stopped', { 'nerdctl/name': 'web', 'containerd.io/restart.explicitly-stopped': 'true' }, ENDED] as const),
    ...(['it was stopped', 'start it again', 'start web'] as const),
  ],
  [...(['was never started', {}, undefined] as const), ...(['it was never started', 'start it', 'start web'] as const)],
])('says why no check is made of a container that %s', (_, labels, task, what, remedy, command) => {
  const own = aRecord({ labels: { 'nerdctl/name': 'web', ...labels } });
  const view = viewFrom({ record: own, task, run: undefined });
  const page = explanationPage({ ...explained, explanation: { ...explained.explanation, view } });
  expect(page).toContain(`Likely reasons:\n * ${what}`);
  expect(page).toContain(`\n   ${remedy}\n     healthctl ${command}\n`);
});
