import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UrlHookSettings } from '../../lib/settings.ts';
import type { Firing } from './alert-book.ts';
import { openAlertFile } from './alert-file.ts';

let directory: string;
let logged: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'healthctl-alerts-'));
  logged = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const log = { warn: (text: string) => void logged.push(text) };
const HOOK = { url: 'https://example.org/secret', format: 'slack', on: ['unhealthy'] } as unknown as UrlHookSettings;
const firing = (id: string, isDelivered = true): Firing => ({
  key: `default/${id}`,
  event: { event: 'unhealthy', time: '2026-01-01T00:00:00Z', namespace: 'default', id, name: 'web', image: 'demo' },
  isDelivered,
});
const path = (): string => join(directory, 'new', 'alerts.json');

test('firing alerts are read again, for their own hook only', () => {
  const firings = [firing('c1'), firing('c2', false)];
  expect(openAlertFile(path(), log).known(HOOK)).toEqual([]);
  openAlertFile(path(), log).save([{ hook: HOOK, firings }]);
  const file = openAlertFile(path(), log);
  expect(file.known(HOOK)).toEqual(firings);
  expect(file.known({ ...HOOK, format: 'ntfy' })).toEqual([]);
  expect(readFileSync(path(), 'utf8')).not.toContain('example.org');
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(logged).toEqual([]);
});

test('writes nothing if nothing has changed', () => {
  const file = openAlertFile(path(), log);
  file.save([{ hook: HOOK, firings: [firing('c1')] }]);
  rmSync(path());
  file.save([{ hook: HOOK, firings: [firing('c1')] }]);
  expect(statSync(path(), { throwIfNoEntry: false })).toBeUndefined();
});

test.each(['', '[]', '{"version":2,"hooks":{}}', '{"version":1,"hooks":{"a":[{"id":5}]}}'])(
  'ignores a damaged file: %s',
  (text) => {
    mkdirSync(join(directory, 'new'));
    writeFileSync(path(), text);
    expect(openAlertFile(path(), log).known(HOOK)).toEqual([]);
    expect(logged).toEqual([`${path()} is damaged and not used`]);
  },
);

test('a file that cannot be written is logged once', () => {
  // A name too long for the file system.
  const file = openAlertFile(join(directory, 'x'.repeat(300), 'alerts.json'), log);
  for (const id of ['a', 'b']) file.save([{ hook: HOOK, firings: [firing(id)] }]);
  expect(logged.filter((text) => text.startsWith('alerts that fire are kept in memory only: '))).toHaveLength(1);
});
