import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerRecord } from '../containerd/containers.ts';
import type { SecurityOptions } from '../oci/parse.ts';
import { appArmorOf, ensureAppArmor } from './apparmor.ts';

let sysDir: string;
beforeEach(() => {
  sysDir = mkdtempSync(join(tmpdir(), 'healthctl-apparmor-'));
  const parser = join(sysDir, 'apparmor_parser');
  writeFileSync(parser, `#!/bin/sh\nexec cat > ${sysDir}/loaded\n`);
  chmodSync(parser, 0o755);
});
afterEach(() => rmSync(sysDir, { recursive: true }));

function switchOn(): void {
  mkdirSync(join(sysDir, 'module/apparmor/parameters'), { recursive: true });
  writeFileSync(join(sysDir, 'module/apparmor/parameters/enabled'), 'Y\n');
  mkdirSync(join(sysDir, 'kernel/security/apparmor'), { recursive: true });
  writeFileSync(join(sysDir, 'kernel/security/apparmor/profiles'), '');
}
const isLoaded = () => existsSync(join(sysDir, 'loaded'));

describe('the profile of a new container', () => {
  const choose = (apparmor: string | undefined, privileged = false) => {
    const warnings: string[] = [];
    const log = { warn: (text: string) => warnings.push(text), debug: () => {} };
    const security: SecurityOptions = { noNewPrivileges: false, seccomp: undefined, apparmor };
    const profile = appArmorOf({ log }, { security, privileged }, { sysDir, programDirs: [sysDir] });
    return { profile, warnings, loaded: isLoaded() };
  };

  test.each([
    [undefined, false, 'healthctl-default', true],
    [undefined, true, 'unconfined', false],
    ['unconfined', false, 'unconfined', false],
    ['mine', true, 'mine', false],
    ['healthctl-default', true, 'healthctl-default', true],
  ])('%s, privileged %s: %s', (given, privileged, profile, loaded) => {
    switchOn();
    expect(choose(given, privileged)).toEqual({ profile, warnings: [], loaded });
  });

  test('without AppArmor there is none, and one that was asked for is told of', () => {
    expect(choose(undefined)).toEqual({ profile: undefined, warnings: [], loaded: false });
    expect(choose('unconfined')).toEqual({ profile: undefined, warnings: [], loaded: false });
    expect(choose('mine').warnings).toEqual(['this host has no AppArmor: the profile mine confines nothing']);
  });
});

describe('a start after a reboot', () => {
  const start = (apparmorProfile: string | undefined) => {
    const process = { user: { uid: 0, gid: 0 }, cwd: '/', ...(apparmorProfile && { apparmorProfile }) };
    const specJson = () => JSON.stringify({ ociVersion: '1.0.2', process });
    ensureAppArmor({ record: { specJson } as ContainerRecord }, { sysDir, programDirs: [sysDir] });
    return isLoaded();
  };

  test('loads our profile again', () => {
    switchOn();
    expect(start('healthctl-default')).toBe(true);
  });

  test.each(['docker-default', undefined])('and no other: %s', (profile) => {
    switchOn();
    expect(start(profile)).toBe(false);
  });

  test('and none without AppArmor', () => expect(start('healthctl-default')).toBe(false));
});
