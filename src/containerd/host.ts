import { IntrospectionDefinition } from './gen/containerd/introspection.ts';
import { NamespacesDefinition } from './gen/containerd/namespaces.ts';
import { VersionDefinition } from './gen/containerd/version.ts';
import type { Rpc } from './rpc.ts';
import type { CallOptions } from './transport.ts';

/** containerd's information about itself. */
export interface Host {
  /** E.g. `{version: '1.6.20', revision: '…'}`. */
  version(options?: CallOptions): Promise<{ readonly version: string; readonly revision: string }>;
  /** The id that containerd keeps in its root directory. */
  serverId(options?: CallOptions): Promise<string>;
  /**
   * The ids of the usable plugins of one type, e.g. `io.containerd.snapshotter.v1`: not of those that failed to start,
   * such as the snapshotter of a file system that the kernel lacks.
   */
  plugins(type: string, options?: CallOptions): Promise<readonly string[]>;
  namespaces(options?: CallOptions): Promise<readonly string[]>;
}

export function openHost(rpc: Rpc): Host {
  return {
    version: (options) => rpc.call(VersionDefinition, VersionDefinition.methods.version, {}, options),
    serverId: async (options) =>
      (await rpc.call(IntrospectionDefinition, IntrospectionDefinition.methods.server, {}, options)).uuid,
    plugins: async (type, options) => {
      const { plugins } = await rpc.call(
        IntrospectionDefinition,
        IntrospectionDefinition.methods.plugins,
        { filters: [`type==${type}`] },
        options,
      );
      return plugins.filter(({ initErr }) => !initErr).map((plugin) => plugin.id);
    },
    namespaces: async (options) => {
      const { namespaces } = await rpc.call(
        NamespacesDefinition,
        NamespacesDefinition.methods.list,
        { filter: '' },
        options,
      );
      return namespaces.map((namespace) => namespace.name);
    },
  };
}
