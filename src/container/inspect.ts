import { join } from 'node:path';
import { dataDirOf } from '../lib/dirs.ts';
import { HealthctlError } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';
import { CONFIG_EXTENSION } from '../lib/trusted-labels.ts';
import { detailsOf, specOf } from '../record/details.ts';
import { type ContainerDocument, type DocumentPaths, documentOf } from '../record/document.ts';
import { lastExitNote } from '../record/exit-note.ts';
import { logConfigOf } from '../record/log-config.ts';
import { nameOptionsOf } from '../record/network-config.ts';
import { networkModeOf } from '../record/network-mode.ts';
import { readRestarts } from '../record/restart-record.ts';
import { attachmentOf } from '../record/shown-ports.ts';
import { jsonLogOf, type StoredConfig, storedConfigOf } from '../record/stored-config.ts';
import type { ContainerView } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { readHealth } from './health.ts';
import type { ListedContainer } from './list.ts';
import { jsonLogPathOf, liveFileOf } from './logs/output-files.ts';
import { nerdctlFactsOf } from './nerdctl/lifecycle.ts';
import { generatedFilesOf } from './network/generated-files.ts';
import { wasOutOfMemory } from './out-of-memory.ts';
import { resolveViews } from './resolve.ts';
import { openContainerSizes } from './sizes.ts';

/** Finds containers with their health, by name or id: for each argument, in order, the container or its error. */
export async function findContainers(
  ctx: ContainerContext,
  namesOrIds: readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly (ListedContainer | HealthctlError)[]> {
  const views = await resolveViews(ctx, namesOrIds, options);
  return Promise.all(
    views.map(async (view) => (view instanceof HealthctlError ? view : { view, health: await readHealth(ctx, view) })),
  );
}

/** Docker's document of a container. @param options.size measures its disk usage */
export async function describeContainer(
  ctx: ContainerContext,
  { view, health }: ListedContainer,
  options: { readonly size: boolean; readonly signal?: AbortSignal },
): Promise<ContainerDocument> {
  const nerdctl = nerdctlFactsOf(ctx.dirs, view, { namespace: ctx.containerd.namespace, nowMs: ctx.clock.now() });
  const details = detailsOf(view.record, { isNerdctls: nerdctl !== undefined });
  const sizes = options.size ? { sizes: await openContainerSizes(ctx, options)(view.record) } : {};
  const namespaceDirs = { dirs: ctx.dirs, namespace: ctx.containerd.namespace };
  const restarts = readRestarts(namespaceDirs, view.record.id);
  const attachment = attachmentOf(view, namespaceDirs);
  const network = attachment ? { attachment } : {};
  const shown = {
    ...view,
    isOutOfMemory: wasOutOfMemory(view),
    startedAtMs: nerdctl ? nerdctl.startedAtMs : view.startedAtMs,
  };
  return documentOf({
    view: shown,
    health,
    details,
    restarts,
    lastEndAtMs: details.isOurs ? lastExitNote(namespaceDirs, view.record.id)?.atMs : undefined,
    ...network,
    paths: details.isOurs ? ownPathsOf(ctx, view) : foreignPathsOf(view, nerdctl?.logPath ?? ''),
    ...sizes,
  });
}

/** The mounted files; healthctl or nerdctl wrote them. */
function foreignPathsOf({ record }: ContainerView, logPath: string): DocumentPaths {
  const mounts = specOf(record)?.mounts ?? [];
  const sourceOf = (path: string): string => mounts.find(({ destination }) => destination === path)?.source ?? '';
  return {
    LogPath: logPath,
    ResolvConfPath: sourceOf('/etc/resolv.conf'),
    HostnamePath: sourceOf('/etc/hostname'),
    HostsPath: sourceOf('/etc/hosts'),
  };
}

function ownPathsOf(ctx: ContainerContext, { record, started }: ContainerView): DocumentPaths {
  const dir = dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: record.id });
  const stored = storedConfigOf(record);
  const { hosts = '', resolvConf = '' } = stored ? filesOf(ctx, stored, dir) : {};
  return {
    LogPath: started.ever && !keepsNone(stored) ? logPathOf(dir, record.id, stored) : '',
    ResolvConfPath: resolvConf,
    HostnamePath: join(dir, 'hostname'),
    HostsPath: hosts,
  };
}

const keepsNone = (stored: StoredConfig | undefined): boolean =>
  stored !== undefined && logConfigOf(stored.HostConfig).driver === 'none';

/** The json-file if one is written, else the file of the standard output. */
function logPathOf(dir: string, id: string, stored: StoredConfig | undefined): string {
  return stored && jsonLogOf(stored) ? jsonLogPathOf(dir, id) : liveFileOf(dir, 'stdout');
}

/** A container in another's network uses that container's files. */
function filesOf(ctx: ContainerContext, stored: StoredConfig, dir: string) {
  const mode = networkModeOf(stored.HostConfig.NetworkMode);
  const owner =
    mode.kind === 'container' ? dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: mode.container }) : dir;
  return generatedFilesOf(owner, stored.HostConfig.NetworkMode, nameOptionsOf(stored));
}

/** containerd's own record of a container, under the names of nerdctl's native mode. */
export function nativeDocument({ record, task }: ContainerView): Readonly<Record<string, unknown>> {
  return {
    ID: record.id,
    Labels: record.rawLabels,
    Image: record.image,
    Runtime: {
      Name: record.runtime,
      ...(record.runtimeBinary === undefined ? {} : { BinaryName: record.runtimeBinary }),
    },
    SnapshotKey: record.snapshotKey,
    Snapshotter: record.snapshotter,
    CreatedAt: new Date(record.createdAtMs).toISOString(),
    Extensions: jsonOrText({ [CONFIG_EXTENSION]: record.extensionJson(CONFIG_EXTENSION) }),
    Spec: parsed(record.specJson()),
    Process: task
      ? {
          Pid: task.pid,
          Status: {
            Status: task.status,
            ExitStatus: task.exitStatus,
            ...(task.exitedAtMs === undefined ? {} : { ExitTime: new Date(task.exitedAtMs).toISOString() }),
          },
          Stdin: task.stdin,
          Stdout: task.stdout,
          Stderr: task.stderr,
          Terminal: task.terminal,
        }
      : null,
  };
}

function jsonOrText(texts: Readonly<Record<string, string | undefined>>): Readonly<Record<string, unknown>> {
  const present = Object.entries(texts).filter(([, text]) => text !== undefined);
  return Object.fromEntries(present.map(([key, text]) => [key, parsed(text)]));
}

/** A text that is not JSON is shown unchanged. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return null;
  try {
    return decodeJson(text);
  } catch {
    return text;
  }
}
