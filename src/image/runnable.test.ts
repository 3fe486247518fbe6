import { describe, expect, test } from 'vitest';
import { parsePlatform } from './platform.ts';
import { refuseUnrunnable } from './runnable.ts';

const check = (wanted: string, host: string) => () => refuseUnrunnable(parsePlatform(wanted), parsePlatform(host));

describe('a host', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/386', 'linux/amd64'],
    ['linux/arm/v7', 'linux/arm64'],
    ['linux/arm64', 'linux/arm64/v8'],
    ['linux/arm/v6', 'linux/arm/v7'],
  ])('runs %s on %s', (wanted, host) => {
    expect(check(wanted, host)).not.toThrow();
  });

  test.each([
    ['windows/amd64', 'linux/amd64'],
    ['linux/arm/v7', 'linux/arm/v6'],
    ['linux/nosuch', 'linux/amd64'],
  ])('does not run %s on %s', (wanted, host) => {
    expect(check(wanted, host)).toThrow(/^this host cannot run \S+: it is \S+, and no emulator is registered$/);
  });
});
