import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { APPARMOR_PROFILE_TEXT } from '../../system/apparmor.ts';
import { forgetProfileAtBoot, loadProfileAtBoot } from './apparmor-at-boot.ts';
import { unitNameOf } from './unit.ts';

let root: string;
const dirs = () => ({ profileDir: join(root, 'apparmor.d'), unitDir: join(root, 'units') });
const profile = () => join(root, 'apparmor.d/healthctl-default');
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'healthctl-boot-'));
  mkdirSync(join(root, 'units'));
});
afterEach(() => rmSync(root, { recursive: true }));

test("the profile stays in the host's directory until the last unit is gone", () => {
  mkdirSync(join(root, 'apparmor.d'));
  const units = ['/run/containerd/containerd.sock', '/run/other.sock'].map((address) =>
    join(root, 'units', unitNameOf(address)),
  );
  for (const unit of units) writeFileSync(unit, '');
  writeFileSync(join(root, 'units/healthctl-of-mine.service'), '');
  loadProfileAtBoot(dirs(), writeFileSync);
  expect(readFileSync(profile(), 'utf8')).toBe(APPARMOR_PROFILE_TEXT);
  for (const unit of units) {
    forgetProfileAtBoot(dirs());
    expect(existsSync(profile())).toBe(true);
    rmSync(unit);
  }
  forgetProfileAtBoot(dirs());
  expect(existsSync(profile())).toBe(false);
  forgetProfileAtBoot(dirs());
});

test('without a profile directory on the host, nothing is written', () => {
  loadProfileAtBoot(dirs(), writeFileSync);
  forgetProfileAtBoot(dirs());
  expect(existsSync(join(root, 'apparmor.d'))).toBe(false);
});
