import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerRecord } from '../../containerd/containers.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { SecurityOptions } from '../../oci/parse.ts';
import type { StoredConfig } from '../../record/stored-config.ts';
import type { ContainerContext } from '../context.ts';
import { appArmorOf, ensureAppArmor, ensureAppArmorOfExec } from './apparmor.ts';

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

describe('the AppArmor profile of a new container', () => {
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
  ])('the option %s, with privileged %s: %s', (given, privileged, profile) => {
    switchOn();
    expect(choose(given, privileged)).toEqual({ profile, warnings: [] });
  });

  test('without AppArmor there is no profile, and asking for one gives a warning', () => {
    expect(choose(undefined)).toEqual({ profile: undefined, warnings: [] });
    expect(choose('unconfined')).toEqual({ profile: undefined, warnings: [] });
    expect(choose('mine').warnings).toEqual(['this host has no AppArmor: the profile mine confines nothing']);
  });
});

describe('the AppArmor profile at a start', () => {
  const specWith = (apparmorProfile: string | undefined) =>
    JSON.stringify({ ociVersion: '1.0.2', process: { user: { uid: 0, gid: 0 }, cwd: '/', apparmorProfile } });
  /** @param had the profile in the container's spec */
  const start = async (had: string | undefined, host: { SecurityOpt?: string[] | null; Privileged?: boolean } = {}) => {
    const specJson = () => specWith(had);
    const [specs, warnings]: [string[], string[]] = [[], []];
    const containers = { setSpec: async (_: string, json: string) => void specs.push(json) };
    const log = { warn: (text: string) => void warnings.push(text), debug: () => {} };
    const ctx = { clock, log, containerd: { containers } } as unknown as ContainerContext;
    const record = { id: 'c1', specJson } as unknown as ContainerRecord;
    const config = { HostConfig: host } as unknown as StoredConfig;
    const left = await ensureAppArmor(ctx, { record, name: 'web' }, config, { sysDir, programDirs: [sysDir] });
    expect(left.specJson()).toBe(specs[0] ?? specJson());
    return { isLoaded: existsSync(join(sysDir, 'loaded')), specs, warnings };
  };
  const nothing = { isLoaded: false, specs: [], warnings: [] };

  test('a start loads our profile', async () => {
    switchOn();
    expect(await start('healthctl-default')).toEqual({ ...nothing, isLoaded: true });
  });

  test.each([
    ['mine', { SecurityOpt: ['seccomp=unconfined', 'apparmor=mine'] }],
    ['unconfined', { Privileged: true, SecurityOpt: null }],
  ])('a start does not load another profile: %s', async (profile, host) => {
    switchOn();
    expect(await start(profile, host)).toEqual(nothing);
  });

  test('with AppArmor, a container that was created without it gets the default profile', async () => {
    switchOn();
    expect(await start(undefined)).toEqual({ ...nothing, isLoaded: true, specs: [specWith('healthctl-default')] });
    const unconfined = { SecurityOpt: ['apparmor=unconfined'] };
    expect((await start(undefined, unconfined)).specs).toEqual([specWith('unconfined')]);
  });

  test('without AppArmor, a container that was created with a profile loses it', async () => {
    expect(await start('healthctl-default')).toEqual({
      ...nothing,
      specs: [specWith(undefined)],
      warnings: ['this host has no AppArmor: web runs without its profile healthctl-default'],
    });
    expect(await start('unconfined', { Privileged: true })).toEqual({ ...nothing, specs: [specWith(undefined)] });
  });

  test('without AppArmor, a container that was created without it does not change', async () => {
    expect(await start(undefined, { SecurityOpt: ['apparmor=mine'] })).toEqual(nothing);
  });
});

test.each([
  ['healthctl-default', true],
  ['unconfined', false],
  [undefined, false],
])('exec in a container with the profile %s loads our profile again: %s', async (apparmorProfile, isLoaded) => {
  switchOn();
  await ensureAppArmorOfExec({ clock }, { apparmorProfile }, { sysDir, programDirs: [sysDir] });
  expect(existsSync(join(sysDir, 'loaded'))).toBe(isLoaded);
});
