import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createAdoption } from '../../src/daemon/adoption.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Watched } from '../../src/monitor/host-model.ts';

const unitsDir = mkdtempSync(join(tmpdir(), 'healthctl-units-'));
writeFileSync(join(unitsDir, 'timed.timer'), '');
afterAll(() => rmSync(unitsDir, { recursive: true, force: true }));

const OURS = { 'healthctl/owner': '0.1.0', 'nerdctl/name': 'web' };
const NERDCTLS = { 'nerdctl/name': 'web', 'nerdctl/state-dir': '/nerdctl' };
const aContainer = (id: string, labels: Readonly<Record<string, string>>) =>
  ({ namespace: 'default', id, record: { labels } }) as unknown as Watched;

const isNerdctls = ({ record }: Watched) => record.labels['nerdctl/state-dir'] === '/nerdctl';

function adoption(adopt: 'auto' | 'always' | 'never') {
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => warnings.push(text) };
  return { isElsewhere: createAdoption({ adopt, log, unitsDir, isNerdctls }), warnings };
}

test.each([
  ['auto', NERDCTLS, [true, false]],
  ['auto', { 'nerdctl/name': 'web', 'nerdctl/state-dir': '/x' }, [false, false]],
  ['always', NERDCTLS, [false, false]],
  ['never', NERDCTLS, [true, true]],
  ['auto', {}, [false, false]],
  ['never', {}, [false, false]],
  ['never', OURS, [false, false]],
] as const)('%s, labels %j: whether nerdctl checks it, with its timer and without', (adopt, labels, expected) => {
  const { isElsewhere } = adoption(adopt);
  expect(['timed', 'other'].map((id) => isElsewhere(aContainer(id, labels)))).toEqual(expected);
});

test('a timer of nerdctl on a container of ours is told of once', () => {
  const { isElsewhere, warnings } = adoption('auto');
  for (const id of ['timed', 'timed', 'other']) isElsewhere(aContainer(id, OURS));
  expect(warnings).toEqual([
    'container default/timed: nerdctl checks it too, by the systemd timer timed.timer: systemctl stop timed.timer',
  ]);
});
