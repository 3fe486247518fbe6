import { release } from 'node:os';
import { hostPlatform } from '../../image/platform.ts';
import { commit, version } from '../../lib/build-info.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { API_VERSION_TEXT, DOCKER_VERSION, MIN_API_VERSION_TEXT } from '../version.ts';

/** `/version`: what clients negotiate with, and who answers. */
export function versionRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/version',
      handle: async ({ signal }) => json(versionDocument(await ctx.containerd.host.version({ signal }))),
    },
  ];
}

function versionDocument(containerd: { readonly version: string; readonly revision: string }) {
  const details = {
    ApiVersion: API_VERSION_TEXT,
    Arch: hostPlatform().architecture,
    BuildTime: '',
    Experimental: 'false',
    GitCommit: commit,
    GoVersion: `Node.js ${process.version}`,
    KernelVersion: release(),
    MinAPIVersion: MIN_API_VERSION_TEXT,
    Os: 'linux',
  };
  const { Experimental: _experimental, ...plain } = details;
  return {
    Platform: { Name: `healthctl ${version}` },
    // Docker's client reads the release of the engine's dialect from the first one.
    Components: [
      { Name: 'Engine', Version: DOCKER_VERSION, Details: details },
      { Name: 'healthctl', Version: version, Details: { GitCommit: commit } },
      { Name: 'containerd', Version: containerd.version, Details: { GitCommit: containerd.revision } },
    ],
    Version: DOCKER_VERSION,
    ...plain,
  };
}
