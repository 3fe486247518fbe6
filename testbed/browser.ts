import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The path of a Chromium of this machine; undefined if there is none. */
export const chromiumPath = (): string | undefined =>
  [process.env.HEALTHCTL_CHROMIUM, ...PROGRAMS].find((path) => path !== undefined && existsSync(path));

/**
 * A headless Chromium. Throws if the machine has none.
 *
 * @param hosts names that it resolves, to addresses
 */
export async function openBrowser(hosts: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('there is no Chromium here: apt-get install chromium');
  const { chromium } = await import('playwright-core');
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  // Chromium's sandbox cannot run as root, and the tests do.
  const args = ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=${rules.join(', ')}`];
  return chromium.launch({ executablePath, args });
}
