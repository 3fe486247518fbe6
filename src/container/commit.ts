import { dockerJsonFromHealthConfig } from '../health/config-json.ts';
import { applyChanges } from '../image/changes.ts';
import { commitSnapshot } from '../image/commit.ts';
import { resolveImage } from '../image/find.ts';
import { familiarName, type Reference } from '../image/reference.ts';
import { type JsonObject, objectIn, textsIn } from '../lib/shape.ts';
import { shownEnv } from '../oci/process.ts';
import { detailsOf, imageIdOf } from '../record/details.ts';
import { type ContainerView, givenHealthConfigOf, refuseUnknown } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { tellAction } from './tell-action.ts';

export interface CommitOptions {
  /** With a tag; undefined for an image without a name. */
  readonly reference: Reference | undefined;
  readonly author: string;
  readonly comment: string;
  /** Instructions of a Dockerfile: see applyChanges. */
  readonly changes: readonly string[];
  /** Fields that count before those of the container's config, with Docker's keys. */
  readonly config?: JsonObject;
  /** Whether a running container is frozen meanwhile, so that its files fit together. */
  readonly pause: boolean;
  readonly signal: AbortSignal;
}

/** Those of a container's config that an image has too. */
const IMAGE_KEYS = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'Shell',
  'OnBuild',
  'Healthcheck',
] as const;

/**
 * Makes an image of a container: what it has written, and its config with changes. Volumes are not in it.
 *
 * @returns the id of the image
 * @throws NOT_FOUND if the image of the container is gone, INVALID for wrong changes
 */
export async function commitContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: CommitOptions,
): Promise<string> {
  const { reference, author, comment, signal } = options;
  refuseUnknown(view);
  const { record } = view;
  const base = await resolveImage(ctx, imageIdOf(record) ?? record.image, { signal });
  const { config: given = {}, changes } = options;
  const changed = Object.values(given).some(isSet) ? given : configOf(view, {});
  const config = configOf(view, applyChanges(changed, changes));
  const isPaused = options.pause && view.state === 'running';
  if (isPaused) await pauseContainer(ctx, view);
  try {
    const imageID = await commitSnapshot(ctx, {
      base,
      snapshot: { snapshotter: record.snapshotter, key: record.snapshotKey },
      createdBy: detailsOf(record).args.join(' '),
      ...{ config, author, comment, reference, signal },
    });
    const imageRef = reference ? familiarName(reference) : '';
    await tellAction(ctx, { id: record.id, action: 'commit', attributes: { comment, imageID, imageRef } });
    return imageID;
  } finally {
    if (isPaused) await unpauseContainer(ctx, { ...view, state: 'paused' });
  }
}

/** As a container's config and that of its image (moby: daemon/commit.go, merge). */
function configOf({ record }: ContainerView, given: JsonObject): JsonObject {
  const { config } = detailsOf(record);
  const check = givenHealthConfigOf(record.labels);
  const own: JsonObject = { ...(check ? { Healthcheck: dockerJsonFromHealthConfig(check) } : {}), ...config };
  const merged: JsonObject = {
    ...Object.fromEntries(IMAGE_KEYS.map((key) => [key, isSet(given[key]) ? given[key] : own[key]])),
    ...Object.fromEntries(SETS.map((key) => [key, { ...objectIn(own[key]), ...objectIn(given[key]) }])),
    Env: shownEnv(textsIn(given.Env), textsIn(own.Env)),
    ...(isSet(given.Entrypoint) ? { Cmd: given.Cmd } : {}),
  };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => isSet(value)));
}

/** Both count. */
const SETS = ['ExposedPorts', 'Volumes', 'Labels'];

/** Clients send zero values for what is not given. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
