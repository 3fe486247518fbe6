import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { consoleBlocksOf, needsNerdctl } from '../../testbed/console-blocks.ts';
import { differencesInPage, type Page } from '../e2e/support/docs-session.ts';
import { type NetworkHost, withNetworkHost } from '../e2e/support/network-host.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const pages: readonly Page[] = readdirSync(join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, blocks: consoleBlocksOf(readFileSync(join(ROOT, 'docs', name), 'utf8')) }))
  .map(({ name, blocks }) => ({ name: join('docs', name), blocks: blocks.filter(needsNerdctl) }))
  .filter(({ blocks }) => blocks.length > 0);

describeWithNerdctl('sessions with nerdctl in the documents', () => {
  test.for(pages.map((page) => [page.name, page] as const))('%s', async ([, page], { skip }) => {
    const peers = await openPeersBed();
    const { bed } = peers;
    const work = async (host: NetworkHost): Promise<void> => {
      skip(!/ v?2\.3\.5$/.test(await peers.nerdctl('--version')), 'the documents show nerdctl 2.3.5');
      expect((await differencesInPage({ bed, host, path: nerdctlIn(peers) }, page)).join('\n\n')).toBe('');
    };
    await withNetworkHost(bed, work, () => peers[Symbol.asyncDispose]());
  });
});

/**
 * A directory with a `nerdctl` that has the settings of the bed, as nerdctl.toml would set them.
 *
 * Its containers have no network: nerdctl's hooks make it where the shim runs, which is outside the network namespace
 * of the test. Messages about a missing systemd are removed from the output.
 */
function nerdctlIn({ bed, commandOf }: PeersBed): string {
  const directory = join(bed.directory, 'bin');
  mkdirSync(directory);
  const command = commandOf([])
    .map((word) => `'${word}'`)
    .join(' ');
  const lines = [
    '#!/bin/bash',
    '[ "$1" = run ] && shift && set -- run --network none "$@"',
    `exec ${command} "$@" 2> >(grep -vE 'systemd DBUS|force cleanup' >&2)`,
    '',
  ];
  writeFileSync(join(directory, 'nerdctl'), lines.join('\n'), { mode: 0o755 });
  return directory;
}
