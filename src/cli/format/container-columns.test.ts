import { expect, test } from 'vitest';
import { aRecord } from '../../../test/builders/container.ts';
import { aState, T0 } from '../../../test/builders/health.ts';
import { aHealth, aListed, aStoredConfig, noHealth, ownRecord } from '../../../test/builders/listed.ts';
import { golden } from '../../../test/golden/golden.ts';
import type { ContainerRow } from './container-columns.ts';
import { containerColumns, labelOf } from './container-columns.ts';
import { renderList } from './table.ts';

const TABLE =
  'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}';
const nowMs = T0 + 125_000;
const record = (over: Parameters<typeof ownRecord>[0], args: readonly string[] = ['sleep', '60']) =>
  ownRecord(over, aStoredConfig({ Args: args }));
const health = (status: 'starting' | 'unhealthy' | 'healthy') => aHealth({ state: aState({ status }) });

const listed: readonly Omit<ContainerRow, 'namespace'>[] = [
  aListed({ name: 'web' }),
  aListed({ name: 'starting', record: record({}, ['sh', '-c', 'echo "hi there"; exit 3']) }, health('starting')),
  aListed({ name: 'bad' }, health('unhealthy')),
  aListed({ name: 'plain' }, noHealth),
  aListed({ name: 'frozen', state: 'paused' }),
  aListed({ name: 'new', state: 'created', startedAtMs: undefined }, aHealth({ state: undefined })),
  aListed({ name: 'ended', state: 'exited', exit: { code: 3, atMs: T0 + 100_000 } }, health('unhealthy')),
  aListed({ name: 'rebooted', state: 'exited', exit: { code: 255, atMs: undefined } }, noHealth),
  { ...aListed({ name: 'measured' }, noHealth), sizes: { SizeRw: 8192, SizeRootFs: 2_043_904 } },
  aListed({ name: 'ctr-made', record: aRecord({ id: 'ctr-made', image: '' }) }, noHealth),
];
const rows: readonly ContainerRow[] = listed.map((row) => ({ ...row, namespace: 'default' }));

const render = (format: string | undefined, options: { noTrunc?: boolean; onHealth?: () => void } = {}) =>
  renderList({
    format,
    defaultTable: TABLE,
    rows,
    columns: containerColumns({ noTrunc: false, nowMs, onHealth: () => {}, ...options }),
    label: labelOf,
    typeName: '*formatter.ContainerContext',
  });

test('the table of containers, in every state', () => {
  const text = render(undefined);
  expect(text).toBe(golden('screens/ps.txt', text));
});

test('--no-trunc cuts nothing', () => {
  expect(render('{{.Command}}', { noTrunc: true }).split('\n')[1]).toBe(`"sh -c 'echo \\"hi there\\"; exit 3'"`);
  expect(render('{{.ID}}', { noTrunc: true }).split('\n')[0]).toHaveLength(64);
});

test('the columns that are not in the default table', () => {
  const line =
    '{{.Mounts}}|{{.Networks}}|{{.Labels}}|{{.Label "img"}}|{{.Label "nerdctl/name"}}|{{.LocalVolumes}}|{{.Platform}}|{{.Namespace}}';
  expect(render(line).split('\n')[0]).toBe('/srv,/tmp|none|img=yes|yes||0|linux/amd64|default');
  expect(render('{{.HealthStatus}} {{.State}}').split('\n').slice(0, 6)).toEqual([
    'healthy running',
    'starting running',
    'unhealthy running',
    'none running',
    'healthy paused',
    'none created',
  ]);
});

test('calls onHealth only if the format contains the health', () => {
  let healthReads = 0;
  const onHealth = () => {
    healthReads += 1;
  };
  render('{{.Names}} {{.State}}', { onHealth });
  expect(healthReads).toBe(0);
  render('{{.HealthStatus}}', { onHealth });
  expect(healthReads).toBe(rows.length);
});
