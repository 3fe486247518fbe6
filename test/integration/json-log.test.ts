import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyToJsonLog } from '../../src/container/json-log-writer.ts';
import { appendTimes } from '../../src/container/logs/log-index-file.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { dataDirOf } from '../../src/lib/dirs.ts';
import { createJsonLogLane } from '../../src/monitor/duties/json-log-lane.ts';
import { createOutputIndexer } from '../../src/monitor/duties/output-indexer.ts';
import type { KnownContainer } from '../../src/monitor/host-model.ts';
import { compactRecordOf } from '../../src/record/compact-record.ts';
import { until } from '../../testbed/until.ts';
import { aTask } from '../builders/container.ts';
import { aStoredConfig, ownRecord } from '../builders/listed.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'json-log-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const id = 'c1';
const file = (name: string) => join(dir, name);
const json = (name = 'c1-json.log') =>
  readFileSync(file(name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { log: string; stream: string; time: string; attrs?: unknown });
const copy = (isOver = false, limit?: { maxSize: number; maxFile: number }, attributes = {}) => {
  while (copyToJsonLog({ dataDir: dir, id, limit, attributes }, isOver));
};
const logs = (name?: string) => json(name).map(({ log }) => log);

test("copies both streams in the order of their times, each line once, in Docker's form", () => {
  writeFileSync(file('stdout.log'), 'one\nthree\n');
  writeFileSync(file('stderr.log'), 'two "quoted" \x07\n');
  const at = (ms: number, size: number) => ({ atMs: 1_767_225_600_000 + ms, size, isExact: true });
  appendTimes(file('stdout.log'), [at(0, 4), at(2_000, 10)]);
  appendTimes(file('stderr.log'), [at(1_000.5, 15)]);
  copy();
  copy();
  expect(readFileSync(file('c1-json.log'), 'utf8')).toBe(
    '{"log":"one\\n","stream":"stdout","time":"2026-01-01T00:00:00.000000000Z"}\n' +
      '{"log":"two \\"quoted\\" \\u0007\\n","stream":"stderr","time":"2026-01-01T00:00:01.000500000Z"}\n' +
      '{"log":"three\\n","stream":"stdout","time":"2026-01-01T00:00:02.000000000Z"}\n',
  );
  expect(statSync(file('c1-json.log')).mode & 0o777).toBe(0o600);
});

test('an unfinished line waits for its end or that of the container; a long line is split', () => {
  writeFileSync(file('stdout.log'), 'whole\npar');
  copy(false, undefined, { LABEL: 'bar' });
  expect(json()).toMatchObject([{ log: 'whole\n', attrs: { LABEL: 'bar' } }]);
  appendFileSync(file('stdout.log'), `tial\n${'x'.repeat(40_000)}\nlast`);
  copy();
  expect(logs().map((log) => log.length)).toEqual([6, 8, 16_384, 16_384, 40_001 - 2 * 16_384]);
  copy(true);
  copy(true);
  expect(logs().at(-1)).toBe('last');
  expect(logs()).toHaveLength(6);
});

test('with a limit, no file is longer and no more files are kept', () => {
  const lines = Array.from({ length: 400 }, (_, index) => `line ${index}\n`);
  writeFileSync(file('stdout.log'), lines.join(''));
  const limit = { maxSize: 5_000, maxFile: 3 };
  copy(true, limit);
  const names = ['c1-json.log.2', 'c1-json.log.1', 'c1-json.log'];
  for (const name of names) expect(statSync(file(name)).size).toBeLessThanOrEqual(5_000);
  expect(existsSync(file('c1-json.log.3'))).toBe(false);
  const kept = names.flatMap(logs);
  expect(kept).toEqual(lines.slice(-kept.length));
  rmSync(file('c1-json.log.1'));
  appendFileSync(file('stdout.log'), lines.join(''));
  copy(true, { maxSize: 5_000, maxFile: 1 });
  expect(statSync(file('c1-json.log')).size).toBeLessThanOrEqual(5_000);
  expect(existsSync(file('c1-json.log.1'))).toBe(false);
  expect(logs().at(-1)).toBe('line 399\n');
});

test('sets aside what has the name of an older log file but is no file, and continues', () => {
  const limit = { maxSize: 200, maxFile: 3 };
  mkdirSync(join(file('c1-json.log.1'), 'x'), { recursive: true });
  writeFileSync(file('stdout.log'), 'one\ntwo\nthree\nfour\n');
  const faults: string[] = [];
  copyToJsonLog({ dataDir: dir, id, limit, attributes: {}, onFault: (text) => faults.push(text) }, false);
  expect(logs('c1-json.log.1')).toEqual(['one\n', 'two\n']);
  expect(logs()).toEqual(['three\n', 'four\n']);
  expect(faults).toEqual([expect.stringMatching(/c1-json\.log\.1 is not a regular file; it is now .*\.not-ours-/)]);
});

test.each([
  ['a negative position', { offset: -5 }, {}],
  ['a fraction of a byte', { offset: 1.5 }, {}],
  ['a position beyond every file', { offset: 1e300 }, {}],
  ['a negative size', {}, { size: -3 }],
  ['a size with a fraction', {}, { size: 1.5 }],
])('with a damaged record of its position, %s, copies everything', (_, position, whole) => {
  writeFileSync(file('stdout.log'), 'one\n');
  copy();
  const record = JSON.parse(readFileSync(file('json-log.json'), 'utf8'));
  const stdout = { ...record.positions.stdout, ...position };
  writeFileSync(file('json-log.json'), JSON.stringify({ ...record, positions: { stdout }, ...whole }));
  appendFileSync(file('stdout.log'), 'two\n');
  copy();
  expect(logs().slice(-2)).toEqual(['one\n', 'two\n']);
});

test('copies output files that were truncated from their beginning', () => {
  writeFileSync(file('stdout.log'), 'a long first line\n');
  copy();
  writeFileSync(file('stdout.log'), '');
  copy();
  appendFileSync(file('stdout.log'), 'new\n');
  copy();
  expect(logs()).toEqual(['a long first line\n', 'new\n']);
});

test('lines that a killed writer appended but did not record are not copied twice', () => {
  writeFileSync(file('stdout.log'), 'one\n');
  copy();
  appendFileSync(file('c1-json.log'), '{"log":"two');
  appendFileSync(file('stdout.log'), 'two\n');
  copy();
  expect(logs()).toEqual(['one\n', 'two\n']);
  // Rotated by another program.
  renameSync(file('c1-json.log'), file('moved'));
  appendFileSync(file('stdout.log'), 'three\n');
  copy();
  expect([logs(), logs('moved')]).toEqual([['three\n'], ['one\n', 'two\n']]);
});

test('copies the output of an earlier run with a terminal first, and nothing of a log that is gone', () => {
  writeFileSync(file('stdout.log'), 'first\r\n');
  copy();
  appendFileSync(file('stdout.log'), 'end of first\r\n');
  renameSync(file('stdout.log'), file('stdout.1.log'));
  writeFileSync(file('stdout.log'), 'second\r\n');
  copy();
  expect(logs()).toEqual(['first\r\n', 'end of first\r\n', 'second\r\n']);
  rmSync(dir, { recursive: true });
  expect(copyToJsonLog({ dataDir: dir, id, limit: undefined, attributes: {} }, true)).toBe(false);
  expect(existsSync(dir)).toBe(false);
});

test('copies more than one part in order, from both streams', () => {
  const lines = (word: string) => Array.from({ length: 60_000 }, (_, index) => `${word} ${index}\n`);
  writeFileSync(file('stdout.log'), lines('out').join(''));
  writeFileSync(file('stderr.log'), lines('err').join(''));
  copy();
  const all = json();
  for (const [stream, word] of [
    ['stdout', 'out'],
    ['stderr', 'err'],
  ] as const)
    expect(all.filter((line) => line.stream === stream).map(({ log }) => log)).toEqual(lines(word));
});

test('the lane copies one part at a time, reports a failure once, and copies what waits at the end', async () => {
  const [warnings, done]: [string[], string[]] = [[], []];
  const lane = createJsonLogLane({
    clock: systemClock,
    log: { warn: (text) => void warnings.push(text), debug: () => {} },
  });
  const parts = (key: string, count: number) => () => {
    done.push(key);
    return done.filter((other) => other === key).length < count;
  };
  lane.add('a', parts('a', 3));
  lane.add('b', parts('b', 2));
  await until(() => done.length === 5);
  expect(done).toEqual(['a', 'b', 'a', 'b', 'a']);
  const failing = () => {
    done.push('c');
    throw new Error('no space left');
  };
  lane.add('c', failing);
  await until(() => done.length === 6);
  lane.add('c', failing);
  lane.stop();
  expect(done).toHaveLength(7);
  expect(warnings).toEqual(['the JSON log of container c cannot be written: no space left']);
});

test('at each list, copies what a container wrote while no monitor ran', async () => {
  const dirs = { hostId: 'host', runRoot: dir, dataRoot: dir, nerdctlDataRoot: dir };
  const warnings: string[] = [];
  const log = { warn: (text: string) => void warnings.push(text), debug: () => {} };
  const keeper = createOutputIndexer({ contextOf: () => ({ dirs }), clock: systemClock, log });
  const record = ownRecord({ id }, aStoredConfig({ JsonLog: {} }));
  const dataDir = dataDirOf(dirs, { namespace: 'default', id });
  const ended = (exitedAtMs: number | undefined): KnownContainer => ({
    ...{ namespace: 'default', id, record: compactRecordOf(record), config: undefined, damage: undefined },
    ...{ processJson: undefined, run: undefined, isStartSeen: false, isOutOfMemory: false },
    task: exitedAtMs === undefined ? undefined : aTask({ status: 'stopped', exitedAtMs }),
    stored: { log: [], state: undefined },
  });
  mkdirSync(join(dataDir, 'json-log.json'), { recursive: true });
  const copiedLines = () =>
    existsSync(join(dataDir, 'c1-json.log'))
      ? readFileSync(join(dataDir, 'c1-json.log'), 'utf8').match(/"log":"[^"]*"/g)
      : [];
  keeper.onChange('default/c1', ended(undefined)); // created, not started yet
  writeFileSync(join(dataDir, 'stdout.log'), 'one\n');
  keeper.onChange('default/c1', ended(1));
  await until(() => copiedLines()?.length === 1);
  appendFileSync(join(dataDir, 'stdout.log'), 'two\nend');
  keeper.onChange('default/c1', ended(2));
  await until(() => copiedLines()?.length === 3); // the last line, once the shim has finished copying
  keeper.stop();
  expect(warnings).toEqual([expect.stringContaining('json-log.json is a directory, not a regular file; it is now ')]);
});
