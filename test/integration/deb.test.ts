import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../../testbed/needed-program.ts';
import { runProgram } from '../../testbed/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const env = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '/root',
  LC_ALL: 'C.UTF-8',
  DEBEMAIL: 'tests@healthctl.dev',
};

// What is in the Debian package. test/long/deb.test.ts compares two, gives one to lintian, and installs it.
describeWith('dpkg-deb', 'the Debian package', () => {
  let work: string;
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'healthctl-deb-test-'));
  });
  afterAll(() => rmSync(work, { recursive: true }));

  let count = 0;
  const build = async (...args: readonly string[]): Promise<string> => {
    count += 1;
    const out = join(work, `${count}`);
    const made = await runProgram([process.execPath, 'scripts/deb.mjs', '--out', out, ...args], { env, cwd: ROOT });
    expect(made.code, made.stderr).toBe(0);
    return join(out, readdirSync(out)[0] ?? '');
  };
  const field = (file: string, name: string) =>
    execFileSync('dpkg-deb', ['--field', file, name], { encoding: 'utf8' }).trim();
  const unpacked = (file: string): string => {
    const directory = `${file}.d`;
    execFileSync('dpkg-deb', ['--raw-extract', file, directory]);
    return directory;
  };

  let tree: string;
  beforeAll(async () => {
    tree = unpacked(await build('--arch', 'amd64', '--revision', '7'));
  });

  test('has the program, its native code, the unit, completions, man pages, and the licences of everything', () => {
    const read = (path: string) => readFileSync(join(tree, path), 'utf8');
    for (const path of [
      'usr/lib/healthctl/dist/healthctl.cjs',
      'usr/lib/healthctl/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node',
      'usr/share/bash-completion/completions/healthctl',
      'usr/share/zsh/vendor-completions/_healthctl',
      'usr/share/fish/vendor_completions.d/healthctl.fish',
      'usr/share/man/man1/healthctl-run.1.gz',
      'usr/share/doc/healthctl/changelog.Debian.gz',
    ])
      expect(existsSync(join(tree, path)), path).toBe(true);
    expect(existsSync(join(tree, 'usr/lib/healthctl/dist/healthctl.cache'))).toBe(false);
    expect(read('usr/lib/systemd/system/healthctl.service')).toContain(
      '/usr/bin/node --max-semi-space-size=1 --v8-pool-size=1 --expose-gc --no-memory-reducer -- /usr/lib/healthctl/bin/healthctl --address /run/containerd/containerd.sock',
    );
    for (const words of ['koffi', 'Niels Martignène', 'tar-stream', '/usr/share/common-licenses/Apache-2.0'])
      expect(read('usr/share/doc/healthctl/copyright')).toContain(words);
    expect(read('DEBIAN/control')).toMatch(/^Depends: nodejs \(>= 20\), containerd \| containerd\.io,/m);
    expect(read('DEBIAN/control')).toMatch(/^Version: \d+\.\d+\.\d+-7$/m);
    expect(read('DEBIAN/conffiles')).toBe('/etc/apparmor.d/healthctl-default\n');
  });

  test('has each file that the program loads', () => {
    const dist = join(tree, 'usr/lib/healthctl/dist');
    const built = readdirSync(join(ROOT, 'dist')).filter((name) => name === 'page' || name.endsWith('.cjs'));
    expect(built).toContain('telemetry.cjs');
    expect(readdirSync(dist)).toEqual(expect.arrayContaining(built));
    // OpenTelemetry's part loads from there, without the repository.
    execFileSync(process.execPath, ['-e', 'require(process.argv[1])', join(dist, 'telemetry.cjs')]);
  });

  test('for arm64 has the native code of arm64 only', async () => {
    const file = await build('--arch', 'arm64');
    expect(field(file, 'Architecture')).toBe('arm64');
    const native = join(unpacked(file), 'usr/lib/healthctl/node_modules/@koromix');
    expect(readdirSync(native)).toEqual(['koffi-linux-arm64']);
    // ELF for machine 183, AArch64.
    const library = readFileSync(join(native, 'koffi-linux-arm64/linux_arm64/koffi.node'));
    expect([library.readUInt32BE(0), library.readUInt16LE(18)]).toEqual([0x7f454c46, 183]);
  });
});
