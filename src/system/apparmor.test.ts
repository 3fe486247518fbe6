import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock as clock } from '../lib/clock.ts';
import {
  APPARMOR_PROFILE_TEXT,
  ensureAppArmorProfile,
  hasAppArmorProfile,
  isAppArmorEnabled,
  unloadAppArmorProfile,
} from './apparmor.ts';

let sysDir: string;
beforeEach(() => {
  sysDir = mkdtempSync(join(tmpdir(), 'healthctl-apparmor-'));
});
afterEach(() => rmSync(sysDir, { recursive: true }));

function kernel(enabled: string, profiles: string): void {
  for (const [dir, name, text] of [
    ['module/apparmor/parameters', 'enabled', enabled],
    ['kernel/security/apparmor', 'profiles', profiles],
  ] as const) {
    mkdirSync(join(sysDir, dir), { recursive: true });
    writeFileSync(join(sysDir, dir, name), text);
  }
}

/** A program in place of apparmor_parser that stores its input. */
function parser(script: string) {
  const path = join(sysDir, 'apparmor_parser');
  writeFileSync(path, `#!/bin/sh\necho "$*" > ${sysDir}/args\ncat > ${sysDir}/stdin\n${script}\n`);
  chmodSync(path, 0o755);
  return { sysDir, programDirs: [join(sysDir, 'nowhere'), sysDir] };
}

describe('isAppArmorEnabled', () => {
  test('is false with a kernel without AppArmor', () => expect(isAppArmorEnabled({ sysDir })).toBe(false));

  test('is false if AppArmor is switched off', () => {
    kernel('N\n', '');
    expect(isAppArmorEnabled({ sysDir })).toBe(false);
  });

  test('is true if AppArmor is switched on', () => {
    kernel('Y\n', '');
    expect(isAppArmorEnabled({ sysDir })).toBe(true);
  });

  test('is false if securityfs is not mounted', () => {
    kernel('Y\n', '');
    rmSync(join(sysDir, 'kernel'), { recursive: true });
    expect(isAppArmorEnabled({ sysDir })).toBe(false);
  });
});

describe('loading the profile', () => {
  test('runs apparmor_parser with the profile on its stdin', async () => {
    kernel('Y\n', 'healthctl-default-2 (enforce)\ndocker-default (enforce)\n');
    await ensureAppArmorProfile({ clock }, parser('exit 0'));
    expect(readFileSync(join(sysDir, 'args'), 'utf8')).toBe('--replace --skip-cache\n');
    expect(readFileSync(join(sysDir, 'stdin'), 'utf8')).toBe(APPARMOR_PROFILE_TEXT);
  });

  test('does nothing if the kernel has the profile', async () => {
    kernel('Y\n', 'docker-default (enforce)\nhealthctl-default (enforce)\n');
    await ensureAppArmorProfile({ clock }, parser('exit 1'));
    expect(() => readFileSync(join(sysDir, 'args'))).toThrow('ENOENT');
  });

  test('fails with the error of the parser', async () => {
    kernel('Y\n', '');
    const refusing = parser('echo "Permission denied; attempted to load" >&2; exit 1');
    await expect(ensureAppArmorProfile({ clock }, refusing)).rejects.toThrow(
      expect.objectContaining({
        code: 'RUNTIME',
        message:
          'AppArmor enabled on system but the healthctl-default profile could not be loaded: Permission denied; attempted to load',
      }),
    );
  });

  test('fails without a parser', async () => {
    kernel('Y\n', '');
    await expect(ensureAppArmorProfile({ clock }, { sysDir, programDirs: [sysDir] })).rejects.toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', hint: expect.stringContaining("Debian's package apparmor") }),
    );
  });
});

describe('unloading the profile', () => {
  test('runs apparmor_parser with the profile on its stdin', async () => {
    kernel('Y\n', 'healthctl-default (enforce)\n');
    expect(hasAppArmorProfile({ sysDir })).toBe(true);
    await unloadAppArmorProfile({ clock }, parser('exit 0'));
    expect(readFileSync(join(sysDir, 'args'), 'utf8')).toBe('--remove\n');
    expect(readFileSync(join(sysDir, 'stdin'), 'utf8')).toBe(APPARMOR_PROFILE_TEXT);
  });

  test('reports why it failed', async () => {
    await expect(unloadAppArmorProfile({ clock }, parser('echo busy >&2; exit 1'))).rejects.toThrow(
      'the profile healthctl-default could not be unloaded: busy',
    );
  });

  test('recognises our profile by its name', () => {
    kernel('Y\n', 'healthctl-default-2 (enforce)\n');
    expect(hasAppArmorProfile({ sysDir })).toBe(false);
  });
});
