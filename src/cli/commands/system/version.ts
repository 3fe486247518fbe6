import type { Containerd } from '../../../containerd/client.ts';
import { commit, version as ownVersion } from '../../../lib/build-info.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { formatOption } from '../../flags/format.ts';
import { section } from '../../format/section.ts';

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

/** `healthctl version`: shows local facts even without an answer of containerd, which is then an additional error. */
export const version: Command = {
  usage: '[OPTIONS]',
  options: [formatOption],
  args: { min: 0, max: 0 },
  run: (world, input) => showVersions(world, input),
};

type VersionWorld = Pick<World, 'containerd' | 'signal'>;

async function showVersions(world: VersionWorld, { options }: CommandInput): Promise<CommandResult> {
  const render = await rendererFor(options.string('format'));
  const asked = await askServer(world);
  if (asked instanceof Error) return { stdout: render({ Client: client() }), errors: [asked] };
  return { stdout: render({ Client: client(), Server: asked }) };
}

function client(): Versions['Client'] {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return { Version: ownVersion, GitCommit: commit, NodeVersion: process.version, Os: process.platform, Arch: arch };
}

async function askServer({ containerd, signal }: VersionWorld): Promise<NonNullable<Versions['Server']> | Error> {
  try {
    const { host, address }: Containerd = await containerd();
    const { version, revision } = await host.version({ signal });
    return { Version: version, GitCommit: revision, Address: address };
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Refuses a template that does not parse before containerd is asked. */
async function rendererFor(format: string | undefined): Promise<(versions: Versions) => string> {
  if (!format) return page;
  const [{ checkTemplate, renderSingle }, { nilPointer, struct }] = await Promise.all([
    import('../../format/single.ts'),
    import('../../../go/template/template.ts'),
  ]);
  checkTemplate(format);
  return ({ Client, Server }) => {
    const fields = {
      Client: struct({ ...Client }, { type: 'system.clientVersion' }),
      Server: Server ? struct({ ...Server }, { type: '*types.Version' }) : nilPointer('*types.Version'),
    };
    return renderSingle(struct(fields, { type: 'system.versionInfo' }), format);
  };
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
