import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createTimers, timerNameOf } from '../../src/daemon/timers/systemd-timers.ts';
import { createFakeClock } from '../fakes/clock.ts';

// Which timers exist is read from the files of transient units.

const unitDir = mkdtempSync(join(tmpdir(), 'healthctl-units-'));
afterAll(() => rmSync(unitDir, { recursive: true, force: true }));

const hostId = '1935db59';
const kept = { namespace: 'default', id: 'a-b' };
const left = { namespace: 'default', id: 'c' };

function open(directory = unitDir) {
  const calls: (readonly string[])[] = [];
  const timers = createTimers({
    systemd: {
      require: () => {},
      run: async (program, args) => {
        calls.push([program, ...args]);
        return '';
      },
    },
    ...{ clock: createFakeClock(), hostId, command: ['healthctl'], environment: {}, unitDir: directory },
  });
  return { timers, calls };
}

test('a sweep keeps the timers of existing containers, and those of others', async () => {
  const names = [
    timerNameOf(hostId, kept, 'starting'),
    timerNameOf(hostId, left, 'regular'),
    timerNameOf('ffffffff', left, 'regular'),
    'someone-else',
  ];
  mkdirSync(join(unitDir, `${names[1]}.timer.d`));
  for (const name of names)
    for (const kind of ['service', 'timer']) writeFileSync(join(unitDir, `${name}.${kind}`), '');
  const { timers, calls } = open();
  expect(await timers.sweepTimers([kept])).toBe(1);
  expect(calls).toEqual([['systemctl', 'stop', `${names[1]}.timer`, `${names[1]}.service`]]);
});

test('without timers, nothing is called', async () => {
  const { timers, calls } = open('/nowhere');
  expect(await timers.sweepTimers([])).toBe(0);
  await timers.removeTimer({ namespace: 'default', id: 'c' });
  expect(calls).toEqual([]);
});
