import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The path of a Chromium on this machine; undefined if there is none. */
export const chromiumPath = (): string | undefined =>
  [process.env.HEALTHCTL_CHROMIUM, ...PROGRAMS].find((path) => path !== undefined && existsSync(path));

/**
 * A headless Chromium. Throws if there is none on the machine.
 *
 * @param hosts names that it resolves, with their addresses
 */
export async function openBrowser(hosts: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('Chromium is not installed: apt-get install chromium');
  const { chromium } = await import('playwright-core');
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  // Chromium's sandbox does not work as root, and the tests run as root.
  const args = ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=${rules.join(', ')}`];
  return chromium.launch({ executablePath, args });
}
