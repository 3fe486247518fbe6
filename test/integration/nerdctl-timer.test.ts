import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endNerdctlTimer, hasNerdctlTimer } from '../../src/container/nerdctl/timer.ts';
import { HealthctlError } from '../../src/lib/errors.ts';

const ID = 'ab'.repeat(32);
let unitsDir: string;
beforeEach(() => {
  unitsDir = mkdtempSync(join(tmpdir(), 'healthctl-units-'));
});
afterEach(() => rmSync(unitsDir, { recursive: true, force: true }));

/** systemd's unit files, and a systemctl that fails with these texts. */
function setUp(units: readonly string[], failures: Readonly<Record<string, string>> = {}) {
  for (const unit of units) writeFileSync(join(unitsDir, unit), '');
  const [ran, warnings]: [string[], string[]] = [[], []];
  const run = async (_: string, args: readonly string[]) => {
    ran.push(args.join(' '));
    const failure = failures[args[0] ?? ''];
    if (failure !== undefined) throw new HealthctlError('UNAVAILABLE', failure);
    return '';
  };
  const log = { warn: (text: string) => void warnings.push(text), debug: () => {} };
  return { end: (id: string) => endNerdctlTimer(id, { log, systemd: { run }, unitsDir }), ran, warnings };
}

test("ends nerdctl's timer and the service of its last check, also a failed one", async () => {
  const { end, ran } = setUp([`${ID}.timer`, `${ID}.service`], { 'reset-failed': 'Unit not loaded' });
  expect(hasNerdctlTimer(ID, unitsDir)).toBe(true);
  expect(await end(ID)).toBe(true);
  expect(ran).toEqual([`stop ${ID}.timer ${ID}.service`, `reset-failed ${ID}.service`]);
});

test('without a timer, does not call systemctl, and ends no unit of another name', async () => {
  const { end, ran } = setUp(['backup.timer']);
  await end(ID);
  await end('backup');
  expect(ran).toEqual([]);
});

test('a unit that has ended meanwhile is no failure; one that cannot be ended gives a warning', async () => {
  expect(await setUp([`${ID}.timer`], { stop: `Unit ${ID}.timer not loaded.` }).end(ID)).toBe(true);
  const { end, warnings } = setUp([`${ID}.timer`], { stop: 'Access denied' });
  expect([await end(ID), warnings]).toEqual([
    false,
    ["nerdctl's timer of container abababababab could not be stopped: Access denied"],
  ]);
});
