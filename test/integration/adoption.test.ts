import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createAdoption } from '../../src/monitor/duties/adoption.ts';
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
  const [told, ended]: [string[], string[]] = [[], []];
  const log = { info: (text: string) => void told.push(text) };
  const endTimer = async ({ id }: Watched) => {
    ended.push(id);
    return true;
  };
  return { isElsewhere: createAdoption({ adopt, log, unitsDir, isNerdctls, endTimer }), told, ended };
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

test('a timer of nerdctl on a container of ours is ended: one checks', async () => {
  const { isElsewhere, told, ended } = adoption('auto');
  for (const id of ['timed', 'timed', 'other']) isElsewhere(aContainer(id, OURS));
  await Promise.resolve();
  expect(ended).toEqual(['timed']);
  expect(told).toEqual([
    'container default/timed: ended the systemd timer timed.timer, by which nerdctl checked it too',
  ]);
});
