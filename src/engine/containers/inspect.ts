import { describeContainer } from '../../container/inspect.ts';
import type { ListedContainer } from '../../container/list.ts';
import type { GivenHealthConfig } from '../../health/config.ts';
import { dockerJsonFromHealthConfig } from '../../health/config-json.ts';
import { collectFields } from '../../health/fields.ts';
import { type JsonObject, objectIn } from '../../lib/shape.ts';
import { detailsOf, specOf } from '../../record/details.ts';
import type { ContainerDocument } from '../../record/document.ts';
import { recordedOriginsOf } from '../../record/health-labels.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { shownContainer } from './found.ts';
import { shownLinks } from './links.ts';

export function inspectRoutes(deps: EngineDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/{id}/json',
      handle: async (call) => {
        const listed = await shownContainer(deps, call);
        const { signal, query } = call;
        const document = await describeContainer(deps.ctx, listed, { size: query.flag('size'), signal });
        const execIds = deps.execs.idsOf(document.Id);
        const { record, name } = listed.view;
        const links = await shownLinks(deps.ctx, { name, details: detailsOf(record) }, signal);
        const linux = specOf(listed.view.record)?.linux;
        return json({
          ...asDockersDaemon(document, setConfigOf(listed)),
          ExecIDs: execIds.length > 0 ? execIds : null,
          HostConfig: {
            ...document.HostConfig,
            ...(links ? { Links: links } : {}),
            CgroupnsMode: cgroupModeOf(document.HostConfig, linux?.namespaces ?? []),
            MaskedPaths: linux?.maskedPaths ?? null,
            ReadonlyPaths: linux?.readonlyPaths ?? null,
          },
        });
      },
    },
  ];
}

/**
 * What was set. The label has the defaults too, for nerdctl; which fields were given is recorded beside it, but for a
 * container of another tool.
 */
function setConfigOf({ view, health: { config } }: ListedContainer): GivenHealthConfig | undefined {
  const origins = recordedOriginsOf(view.record.labels);
  if (!config || Object.keys(origins).length === 0) return config;
  return collectFields((_row, name) => (origins[name] ? config[name] : undefined));
}

/** Docker's words before those of containerd. */
const errorOf = (error: string): string =>
  error.startsWith('failed to create shim task') ? `failed to create task for container: ${error}` : error;

/** The form of Docker's daemon, where that of its command line differs: of the check only what was set. */
function asDockersDaemon(document: ContainerDocument, config: GivenHealthConfig | undefined): JsonObject {
  return {
    ...document,
    State: { ...document.State, Error: errorOf(document.State.Error) },
    GraphDriver: { Data: {}, Name: document.GraphDriver.Name },
    Config: {
      ...document.Config,
      OnBuild: null,
      ...(config ? { Healthcheck: dockerJsonFromHealthConfig(config) } : {}),
    },
  };
}

function cgroupModeOf(hostConfig: JsonObject, namespaces: readonly { readonly type: string }[]): string {
  const asked = objectIn(hostConfig).CgroupnsMode;
  if (typeof asked === 'string' && asked !== '') return asked;
  return namespaces.some(({ type }) => type === 'cgroup') ? 'private' : 'host';
}
