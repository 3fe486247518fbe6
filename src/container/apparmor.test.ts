import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerRecord } from '../containerd/containers.ts';
import { systemClock as clock } from '../lib/clock.ts';
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

describe('the profile of a new container', () => {
  const choose = (apparmor: string | undefined, privileged = false) => {
    const warnings: string[] = [];
    const log = { warn: (text: string) => warnings.push(text), debug: () => {} };
    const security: SecurityOptions = { noNewPrivileges: false, seccomp: undefined, apparmor };
    return { profile: appArmorOf({ log }, { security, privileged }, { sysDir, programDirs: [] }), warnings };
  };

  test.each([
    [undefined, false, 'healthctl-default'],
    [undefined, true, 'unconfined'],
    ['unconfined', false, 'unconfined'],
    ['mine', true, 'mine'],
  ])('%s, privileged %s: %s', (given, privileged, profile) => {
    switchOn();
    expect(choose(given, privileged)).toEqual({ profile, warnings: [] });
  });

  test('without AppArmor there is none, and one that was asked for is told of', () => {
    expect(choose(undefined)).toEqual({ profile: undefined, warnings: [] });
    expect(choose('unconfined')).toEqual({ profile: undefined, warnings: [] });
    expect(choose('mine').warnings).toEqual(['this host has no AppArmor: the profile mine confines nothing']);
  });
});

describe('a start', () => {
  const start = async (apparmorProfile: string | undefined) => {
    const process = { user: { uid: 0, gid: 0 }, cwd: '/', ...(apparmorProfile && { apparmorProfile }) };
    const specJson = () => JSON.stringify({ ociVersion: '1.0.2', process });
    await ensureAppArmor({ clock }, { record: { specJson } as ContainerRecord }, { sysDir, programDirs: [sysDir] });
    return existsSync(join(sysDir, 'loaded'));
  };

  test('loads our profile', async () => {
    switchOn();
    expect(await start('healthctl-default')).toBe(true);
  });

  test.each(['docker-default', undefined])('and no other: %s', async (profile) => {
    switchOn();
    expect(await start(profile)).toBe(false);
  });

  test('and none without AppArmor', async () => expect(await start('healthctl-default')).toBe(false));
});
