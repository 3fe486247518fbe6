import { execFile } from 'node:child_process';
import {
  appendFileSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { runDirOf } from '../../src/lib/dirs.ts';
import { createFileHealthStore } from '../../src/store/file-health-store.ts';
import { lockFile } from '../../src/system/flock.ts';
import { readStat } from '../../src/system/proc.ts';
import { until } from '../../testbed/until.ts';
import { aResult, aState } from '../builders/health.ts';
import { healthStoreContract } from '../contract/health-store.ts';

const root = mkdtempSync(join(tmpdir(), 'healthctl-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let opened = 0;
function open() {
  opened += 1;
  const base = join(root, `${opened}`);
  const dirs = {
    hostId: '1935db59',
    runRoot: join(base, 'run'),
    nerdctlDataRoot: join(base, 'nerdctl'),
  };
  mkdirSync(dirs.nerdctlDataRoot, { recursive: true });
  const warnings: string[] = [];
  const mirrored: string[] = [];
  const gone = new Set<string>();
  const store = createFileHealthStore({
    dirs,
    clock: systemClock,
    log: { warn: (text) => warnings.push(text), debug: () => {} },
    writeMirror: async (_, json) => {
      mirrored.push(json);
    },
    exists: async ({ id }) => !gone.has(id),
  });
  const dir = runDirOf(dirs, { namespace: 'ns', id: 'c1' });
  return { store, maxEntries: 5, dirs, dir, file: join(dir, 'health.json'), warnings, mirrored, gone };
}

const subject = { namespace: 'ns', id: 'c1', labels: {} };
const record = (exitCode = 0) => ({
  result: aResult(1000, exitCode, 'out\n'),
  state: aState({ failingStreak: exitCode }),
});
const retries = { retries: 3 };

healthStoreContract('in files', open);

describe('health in files', () => {
  test('an update without a result writes a mirror that differs, and no other', async () => {
    const { store, mirrored } = open();
    await store.update(subject, () => record(), retries);
    const [json = ''] = mirrored;
    await store.update({ ...subject, labels: { 'nerdctl/healthstate': json } }, () => undefined, retries);
    expect(mirrored).toEqual([json]);
    const old = JSON.stringify({ ...JSON.parse(json), Status: 'starting' });
    await store.update({ ...subject, labels: { 'nerdctl/healthstate': old } }, () => undefined, retries);
    expect(mirrored).toEqual([json, json]);
    await store.update({ ...subject, id: 'never-checked' }, () => undefined, retries);
    expect(mirrored).toHaveLength(2);
  });

  test("a line has Docker's keys and the state; file and directory are private", async () => {
    const { store, file, dir } = open();
    await store.update(subject, () => record(), retries);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      Start: '2026-01-01T00:00:01Z',
      End: '2026-01-01T00:00:01.01Z',
      ExitCode: 0,
      Output: 'out\n',
      Status: 'healthy',
      FailingStreak: 0,
      InStartPeriod: false,
      Run: 'boot:100:5000',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  test('damaged lines give a warning, and the next results push them out', async () => {
    const { store, file, dir, warnings } = open();
    mkdirSync(dir, { recursive: true });
    writeFileSync(
      file,
      `{"Start":"torn\nnull\n[]\n{"Start":"2026-01-01T00:00:00Z","End":"2026-01-01T00:00:00Z","ExitCode":0,"Output":"kept"}\n\0\0\0`,
    );
    expect((await store.get(subject)).log.map(({ output }) => output)).toEqual(['kept']);
    expect(warnings).toEqual([
      `container ${subject.id}: 4 lines of health.json are damaged and skipped, the first is line 1`,
    ]);
    const after = await store.update(subject, () => record(), retries);
    expect(after.log.map(({ output }) => output)).toEqual(['kept', 'out\n']);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
  });

  test('a FIFO, a directory or a link in place of health.json is not read', async () => {
    const { store, file, dir } = open();
    const secret = join(dir, 'secret');
    mkdirSync(dir, { recursive: true });
    writeFileSync(
      secret,
      '{"Start":"2026-01-01T00:00:00Z","End":"2026-01-01T00:00:00Z","ExitCode":0,"Output":"secret"}\n',
    );
    symlinkSync(secret, file);
    expect((await store.get(subject)).log).toEqual([]);
    rmSync(file);
    await promisify(execFile)('mkfifo', [file]);
    expect((await store.get(subject)).log).toEqual([]);
  });

  test.each(['a directory', 'a link', 'a FIFO'])(
    '%s in place of health.json is set aside, and checks continue',
    async (what) => {
      const { store, file, dir, warnings } = open();
      mkdirSync(dir, { recursive: true });
      if (what === 'a directory') mkdirSync(file);
      if (what === 'a link') symlinkSync('/etc/passwd', file);
      if (what === 'a FIFO') await promisify(execFile)('mkfifo', [file]);
      const before = readFileSync('/etc/passwd', 'utf8');
      const after = await store.update(subject, () => record(), retries);
      expect(after.log).toHaveLength(1);
      expect((await store.get(subject)).state).toEqual(record().state);
      expect(warnings).toEqual([expect.stringContaining('was not a file')]);
      expect(readFileSync('/etc/passwd', 'utf8')).toBe(before);
    },
  );

  test('reads a log that nerdctl never trimmed from its end', async () => {
    const { store, file, dir } = open();
    mkdirSync(dir, { recursive: true });
    const line = `${JSON.stringify({ Start: '2026-01-01T00:00:00Z', End: '2026-01-01T00:00:00Z', ExitCode: 0, Output: 'x'.repeat(900_000) })}\n`;
    for (let i = 0; i < 20; i += 1) appendFileSync(file, line);
    const { log } = await store.get(subject);
    expect(log).toHaveLength(5);
    expect(log[0]?.output).toBe(`${'x'.repeat(4096)}...`);
  });

  test('the next writer removes temporary files of a killed one', async () => {
    const { store, dir } = open();
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, '.health.json.1.dead'), 'half');
    await store.update(subject, () => record(), retries);
    expect(readdirSync(dir)).toEqual(['health.json']);
  });

  test('writes the mirror when the status changes, or the streak below retries, and at no other time', async () => {
    const { store, mirrored } = open();
    const labelled = () => ({ ...subject, labels: { 'nerdctl/healthstate': mirrored.at(-1) ?? '' } });
    const step = (state: Parameters<typeof aState>[0]) =>
      store.update(labelled(), () => ({ result: aResult(), state: aState(state) }), retries);
    await step({});
    await step({});
    expect(mirrored).toEqual(['{"Status":"healthy","FailingStreak":0,"InStartPeriod":false,"Run":"boot:100:5000"}']);
    for (const failingStreak of [1, 2]) await step({ failingStreak });
    for (const failingStreak of [3, 4, 5, 6]) await step({ status: 'unhealthy', failingStreak });
    expect(mirrored.map((json) => JSON.parse(json).FailingStreak)).toEqual([0, 1, 2, 3]);
  });

  test("uses the directory that a nerdctl container's label names, if it is the container's own", async () => {
    const { store, dirs, dir } = open();
    const containers = join(dirs.nerdctlDataRoot, dirs.hostId, 'containers', 'ns');
    const stateDir = join(containers, 'c1');
    mkdirSync(stateDir, { recursive: true });
    await store.update({ ...subject, labels: { 'nerdctl/state-dir': stateDir } }, () => record(), retries);
    expect(existsSync(join(stateDir, 'health.json'))).toBe(true);
    expect(existsSync(dir)).toBe(false);
    const others = [join(containers, 'c2'), join(dirs.nerdctlDataRoot, 'x', 'c1'), dirs.nerdctlDataRoot];
    for (const hostile of ['/etc', `${dirs.nerdctlDataRoot}/../elsewhere`, 'relative', ...others]) {
      const { path } = (await import('../../src/store/state-dir.ts')).stateDirOf(dirs, {
        ...subject,
        labels: { 'nerdctl/state-dir': hostile },
      });
      expect(path, hostile).toBe(dir);
    }
    symlinkSync('/etc', join(dirs.nerdctlDataRoot, 'link'));
    const { stateDirOf } = await import('../../src/store/state-dir.ts');
    expect(
      stateDirOf(dirs, { ...subject, labels: { 'nerdctl/state-dir': join(dirs.nerdctlDataRoot, 'link') } }).path,
    ).toBe(dir);
  });

  test("replaces nothing while another program holds the lock of the directory, like nerdctl's writer", async () => {
    const { store, dir, file } = open();
    await store.update(subject, () => record(), retries);
    const before = statSync(file).ino;
    const theirs = await lockFile(
      { path: dir, flags: constants.O_RDONLY | constants.O_DIRECTORY, timeoutMs: 0 },
      systemClock,
    );
    let isWritten = false;
    const writing = store
      .update(subject, () => record(), retries)
      .then(() => {
        isWritten = true;
      });
    appendFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n`); // as a holder of the lock appends in place
    await systemClock.sleep(100);
    expect([isWritten, statSync(file).ino]).toEqual([false, before]);
    theirs.release();
    await writing;
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(3);
  });

  test('for a line by nerdctl, takes the state from the label, which nerdctl writes first', async () => {
    const { store, file } = open();
    await store.update(subject, () => record(), retries);
    appendFileSync(file, '{"Start":"2026-01-01T00:01:00Z","End":"2026-01-01T00:01:00Z","ExitCode":1,"Output":"n"}\n');
    const labels = { 'nerdctl/healthstate': '{"Status":"unhealthy","FailingStreak":4,"InStartPeriod":false}' };
    expect((await store.get({ ...subject, labels })).state).toEqual({
      status: 'unhealthy',
      failingStreak: 4,
      inStartPeriod: false,
      run: undefined,
    });
  });

  test('locks checks of a nerdctl container beside its health.json, so that two run roots do not overlap', async () => {
    const { store, dirs } = open();
    const stateDir = join(dirs.nerdctlDataRoot, dirs.hostId, 'containers', 'ns', 'c1');
    mkdirSync(stateDir, { recursive: true });
    const elsewhere = createFileHealthStore({
      ...{ dirs: { ...dirs, runRoot: join(root, 'other-run') }, clock: systemClock },
      log: { warn: () => {}, debug: () => {} },
      writeMirror: async () => {},
      exists: async () => true,
    });
    const theirs = { ...subject, labels: { 'nerdctl/state-dir': stateDir } };
    await store.withCheckLock(theirs, async ({ scratchDir }) => {
      expect(scratchDir).toBe(runDirOf(dirs, theirs));
      expect(existsSync(scratchDir)).toBe(true);
      const late = elsewhere.withCheckLock(theirs, async () => {}, AbortSignal.timeout(100));
      await expect(late).rejects.toMatchObject({ code: 'ABORTED' });
    });
    await store.remove(theirs);
    expect(existsSync(runDirOf(dirs, theirs))).toBe(false);
    rmSync(stateDir, { recursive: true });
    await store.withCheckLock(theirs, async () => {});
    expect(existsSync(stateDir)).toBe(false);
  });

  // `nerdctl rm` deletes the container and then empties its directory, which fails if a file appears meanwhile.
  test("writes nothing into the directory of a removed container, of ours or nerdctl's", async () => {
    const { store, dirs, dir, gone } = open();
    const stateDir = join(dirs.nerdctlDataRoot, dirs.hostId, 'containers', 'ns', 'c1');
    const theirs = { ...subject, labels: { 'nerdctl/state-dir': stateDir } };
    gone.add('c1');
    const isGone = { code: 'NOT_FOUND' };
    for (const [each, path] of [
      [theirs, stateDir],
      [subject, dir],
    ] as const) {
      mkdirSync(path, { recursive: true });
      await expect(store.update(each, () => record(), retries)).rejects.toMatchObject(isGone);
      await expect(store.withCheckLock(each, async () => {})).rejects.toMatchObject(isGone);
      expect(readdirSync(path)).toEqual([]);
    }
    await store.remove(theirs);
    expect(readdirSync(stateDir)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
    await store.remove(subject);
    await expect(store.withCheckLock(subject, async () => {})).rejects.toMatchObject(isGone);
    expect(existsSync(dir)).toBe(false);
  });

  test('does not ask containerd about the container while its run is alive', async () => {
    const { store, gone } = open();
    gone.add('c1');
    const self = `boot:${process.pid}:${readStat(process.pid)?.startTimeTicks}`;
    const after = await store.update(subject, () => ({ ...record(), state: aState({ run: self }) }), retries);
    expect(after.log).toHaveLength(1);
  });

  test('remove leaves nothing', async () => {
    const { store, dirs, dir } = open();
    await store.update(subject, () => record(), retries);
    await store.withCheckLock(subject, async ({ scratchDir }) => writeFileSync(join(scratchDir, 'left'), ''));
    await store.remove(subject);
    expect(existsSync(dir)).toBe(false);
    expect(readdirSync(join(dirs.runRoot, dirs.hostId, 'ns'))).toEqual([]);
  });

  test('several processes lose no update, and their checks never overlap', async () => {
    const { store, dirs } = open();
    const script = join(import.meta.dirname, '../../testbed/store-writer.ts');
    const writers = Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', script, JSON.stringify(dirs), '15']),
    );
    await Promise.all(writers);
    const { state, log } = await store.get(subject);
    expect(state?.failingStreak).toBe(60);
    expect(log).toHaveLength(5);
    expect(existsSync(join(runDirOf(dirs, subject), 'inside'))).toBe(false);
  });

  test('a writer killed at any time leaves a complete file', async () => {
    const { store, dirs } = open();
    const script = join(import.meta.dirname, '../../testbed/store-writer.ts');
    for (let round = 0; round < 3; round += 1) {
      rmSync(join(runDirOf(dirs, subject), 'inside'), { force: true }); // left by a killed process
      const child = execFile(process.execPath, ['--import', 'tsx', script, JSON.stringify(dirs), '100000']);
      const before = (await store.get(subject)).state?.failingStreak ?? 0;
      const isWriting = async () => ((await store.get(subject)).state?.failingStreak ?? 0) >= before + 20;
      await until(isWriting, { withinMs: 20_000, everyMs: 1 });
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const { state } = await store.get(subject);
      expect(state?.failingStreak).toBeGreaterThanOrEqual(before + 20);
      const after = await store.update(
        subject,
        () => ({ result: aResult(), state: aState({ failingStreak: 0 }) }),
        retries,
      );
      expect(after.log).toHaveLength(5);
    }
  });
});
