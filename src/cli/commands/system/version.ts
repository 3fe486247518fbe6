import type { Containerd } from '../../../containerd/client.ts';
import { commit, version as ownVersion } from '../../../lib/build-info.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandResult } from '../../command.ts';

/** What `version` shows, under the names that `docker version --format` uses. */
interface Versions {
  readonly Client: {
    readonly Version: string;
    readonly GitCommit: string;
    readonly NodeVersion: string;
    readonly Os: string;
    readonly Arch: string;
  };
  /** containerd; absent when it does not answer. */
  readonly Server?: { readonly Version: string; readonly GitCommit: string; readonly Address: string };
}

/** `healthctl version`: what is known here is shown even when containerd does not answer, which is then an error besides. */
export const version: Command = {
  usage: '',
  options: [],
  args: { min: 0, max: 0 },
  run: (world) => showVersions(world),
};

async function showVersions(world: Pick<World, 'containerd' | 'signal'>): Promise<CommandResult> {
  const asked = await askServer(world);
  if (asked instanceof Error) return { stdout: page({ Client: client() }), errors: [asked] };
  return { stdout: page({ Client: client(), Server: asked }) };
}

function client(): Versions['Client'] {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return { Version: ownVersion, GitCommit: commit, NodeVersion: process.version, Os: process.platform, Arch: arch };
}

async function askServer({
  containerd,
  signal,
}: Pick<World, 'containerd' | 'signal'>): Promise<NonNullable<Versions['Server']> | Error> {
  try {
    const { host, address }: Containerd = await containerd();
    const { version, revision } = await host.version({ signal });
    return { Version: version, GitCommit: revision, Address: address };
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function page({ Client, Server }: Versions): string {
  const client = section('Client:', {
    Version: Client.Version,
    'Git commit': Client.GitCommit,
    'Node.js': Client.NodeVersion,
    'OS/Arch': `${Client.Os}/${Client.Arch}`,
  });
  if (Server === undefined) return client;
  return `${client}\n${section('Server: containerd', { Version: Server.Version, 'Git commit': Server.GitCommit, Address: Server.Address })}`;
}

function section(title: string, rows: Readonly<Record<string, string>>): string {
  const lines = Object.entries(rows).map(([name, value]) => ` ${`${name}:`.padEnd(18)} ${value}`);
  return `${[title, ...lines].join('\n')}\n`;
}
