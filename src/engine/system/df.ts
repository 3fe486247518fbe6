import { type DiskUsage, type DiskUsageKind, readDiskUsage } from '../../container/disk-usage.ts';
import type { ListedVolume } from '../../container/volumes/use.ts';
import { entryOf } from '../containers/list.ts';
import { EngineError } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import { rowDocument } from '../images/list.ts';
import { type Answer, type Call, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';
import { volumeDocument } from '../volumes/volumes.ts';

/** `/system/df`: what is on the disk. There is no build cache. */
export function dfRoutes(deps: EngineDeps): readonly Route[] {
  return [{ method: 'GET', path: '/system/df', handle: (call) => showUsage(deps, call) }];
}

const KINDS = new Map<string, DiskUsageKind | 'build-cache'>([
  ['image', 'images'],
  ['container', 'containers'],
  ['volume', 'volumes'],
  ['build-cache', 'build-cache'],
]);

async function showUsage(deps: EngineDeps, call: Call): Promise<Answer> {
  const { version, query, signal } = call;
  const types = isSince(version, 42) && query.has('type') ? query.all('type') : [...KINDS.keys()];
  const wanted = new Set(
    types.map((type) => {
      const kind = KINDS.get(type);
      if (kind === undefined) throw new EngineError(400, `unknown object type: ${type}`);
      return kind;
    }),
  );
  const kinds = new Set([...wanted].filter((kind) => kind !== 'build-cache'));
  return json(usageDocument(deps, call, { usage: await readDiskUsage(deps.ctx, kinds, signal), wanted }));
}

interface Found {
  readonly usage: DiskUsage;
  readonly wanted: ReadonlySet<string>;
}

function usageDocument({ ctx, clock }: EngineDeps, call: Call, { usage, wanted }: Found) {
  const dirs = { dirs: ctx.dirs, namespace: ctx.containerd.namespace };
  const shown = { dirs, nowMs: clock.now(), version: call.version };
  const only = <T>(kind: string, rows: readonly T[]): readonly T[] | null => (wanted.has(kind) ? rows : null);
  const images = usage.images.map((row) => ({ ...rowDocument(row, call), Containers: row.containers }));
  const containers = usage.containers.map((row) => entryOf(row, { ...shown, sizes: row.sizes }));
  return {
    LayersSize: usage.layersSize,
    Images: only('images', images),
    Containers: only('containers', containers),
    Volumes: only('volumes', usage.volumes.map(usedVolume)),
    BuildCache: only('build-cache', []),
  };
}

function usedVolume({ volume, users, size = 0 }: ListedVolume) {
  return { ...volumeDocument(volume), UsageData: { RefCount: users.length, Size: size } };
}
