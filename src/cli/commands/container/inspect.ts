import type { ContainerContext } from '../../../container/context.ts';
import { describeContainer, findContainers, nativeDocument } from '../../../container/inspect.ts';
import type { ListedContainer } from '../../../container/list.ts';
import { quote } from '../../../go/quote.ts';
import type { GoValue } from '../../../go/template/template.ts';
import { TICK_MS } from '../../../health/state.ts';
import { HealthctlError, hasCode } from '../../../lib/errors.ts';
import type { ContainerDocument } from '../../../record/document.ts';
import { readStat } from '../../../system/proc.ts';
import { noSuchVolume } from '../../../volume/volume.ts';
import type { World } from '../../../world.ts';
import type {
  Command,
  CommandInput,
  CommandResult,
  Completion,
  GivenOptions,
  OptionSpec,
  ParsedOptions,
} from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { formatOption } from '../../flags/format.ts';
import { CONTAINER } from '../../flags/values.ts';
import { containerValue } from '../../format/container-value.ts';
import { renderInspect } from '../../format/inspect.ts';
import { plainValue } from '../../format/plain-value.ts';
import { documentsByMonitor } from '../../monitor/list.ts';
import { whyUnmonitored } from '../../monitor/open.ts';
import { healthAgeOf, healthAgeOfDocument, staleHealthWarning } from '../../stale-health.ts';

const TYPES = ['container', 'image', 'network', 'volume'] as const;
type ObjectType = (typeof TYPES)[number];

const modeOption: OptionSpec = {
  name: 'mode',
  type: 'string',
  default: 'dockercompat',
  help: "'dockercompat' shows Docker's document, 'native' containerd's record",
  check: (text) =>
    text === 'dockercompat' || text === 'native' ? undefined : 'must be one of "dockercompat", "native"',
  complete: { words: ['dockercompat', 'native'] },
};
const sizeOption: OptionSpec = { name: 'size', short: 's', type: 'bool', help: 'Display total file sizes' };
const typeOption: OptionSpec = {
  name: 'type',
  type: 'string',
  help: 'Only inspect objects of the given type: container, image, network or volume',
  complete: { words: TYPES },
};

/** `healthctl container inspect`: Docker's, with nerdctl's `--mode`. */
export const inspectContainers: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: [formatOption, modeOption, sizeOption],
  args: { min: 1 },
  complete: [CONTAINER],
  run: (world, input) => runInspect(world, input, 'container'),
};

/** Things of the wanted type, or of all. */
function objectsOf(given: GivenOptions): readonly Completion[] {
  const type = TYPES.find((known) => known === given.get('type')?.at(-1));
  return [{ names: type === undefined ? TYPES : [type] }];
}

/** `healthctl inspect`: Docker's. A name other than a container's may be an image's or a volume's. */
export const inspect: Command = {
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  options: [formatOption, modeOption, { ...sizeOption, help: 'Display total file sizes of containers' }, typeOption],
  args: { min: 1 },
  complete: objectsOf,
  run: (world, input) => runInspect(world, input, typeFrom(input.options)),
};

/** Throws INVALID with Docker's text for an unknown type. */
function typeFrom(options: ParsedOptions): ObjectType | undefined {
  const type = options.string('type');
  const words = `must be one of ${TYPES.map((word) => quote(word)).join(', ')}`;
  if (type === '') throw new HealthctlError('INVALID', `type is empty: ${words}`);
  const known = TYPES.find((word) => word === type);
  if (type === undefined || known) return known;
  throw new HealthctlError('INVALID', `unknown type: ${quote(type)}: ${words}`);
}

async function runInspect(
  world: ContainerWorld,
  { options, args }: CommandInput,
  type: ObjectType | undefined,
): Promise<CommandResult> {
  const format = options.string('format');
  renderInspect([], format); // refuses an invalid template before anything is requested
  const mayBeContainer = type === undefined || type === 'container';
  const isPlain = mayBeContainer && options.string('mode') !== 'native' && !options.bool('size');
  const answered = isPlain ? await documentsByMonitor(world, args) : undefined;
  if (answered?.every(isDocument)) {
    const warnings = await staleWarnings(world, answered, true);
    return { ...resultOf(renderInspect(answered.map(containerValue), format), []), warnings };
  }
  const ctx = await openContainers(world);
  const { signal } = world;
  const found = answered ?? (mayBeContainer ? await findContainers(ctx, args, { signal }) : args.map(() => undefined));
  const documents: GoValue[] = [];
  const errors: Error[] = [];
  for (const [index, container] of found.entries()) {
    const name = args[index] ?? '';
    try {
      documents.push(await documentFor(world, ctx, { name, container, type, options }));
    } catch (error) {
      if (!(error instanceof Error) || hasCode(error, 'ABORTED', 'UNAVAILABLE', 'DENIED')) throw error;
      errors.push(error);
    }
  }
  const warnings = await staleWarnings(world, found, answered !== undefined);
  return { ...resultOf(renderInspect(documents, format), errors), warnings };
}

/** @param isAnswered whether a monitor has answered: it is not asked again */
async function staleWarnings(world: ContainerWorld, found: readonly Found[], isAnswered: boolean): Promise<string[]> {
  const instant = { nowMs: world.clock.now(), bootMs: world.clock.boot() };
  const ages = found.flatMap((one) => {
    if (isDocument(one)) return healthAgeOfDocument(one, instant, startedBootMsOf) ?? [];
    return isContainer(one) ? (healthAgeOf(one, instant) ?? []) : [];
  });
  if (ages.length === 0) return [];
  const why = isAnswered ? undefined : await whyUnmonitored(world);
  const stale = staleHealthWarning(ages, { nowMs: instant.nowMs, whyUnmonitored: why });
  return stale === undefined ? [] : [stale];
}

function startedBootMsOf(pid: number): number | undefined {
  const ticks = readStat(pid)?.startTimeTicks;
  return ticks === undefined ? undefined : ticks * TICK_MS;
}

function resultOf(rendered: ReturnType<typeof renderInspect>, errors: readonly Error[]): CommandResult {
  return { stdout: rendered.stdout, errors: [...rendered.errors, ...errors].map(withExitOne) };
}

/**
 * A container from containerd, or its document from the monitor; an error if there is none; undefined if they were not
 * asked.
 */
type Found = ListedContainer | ContainerDocument | HealthctlError | undefined;

const isContainer = (found: Found): found is ListedContainer =>
  found !== undefined && !(found instanceof HealthctlError) && 'view' in found;
const isDocument = (found: Found): found is ContainerDocument =>
  found !== undefined && !(found instanceof HealthctlError) && 'Id' in found;

interface Wanted {
  readonly name: string;
  readonly container: Found;
  readonly type: ObjectType | undefined;
  readonly options: ParsedOptions;
}

async function documentFor(
  world: Pick<World, 'clock' | 'settings' | 'signal' | 'log'>,
  ctx: ContainerContext,
  { name, container, type, options }: Wanted,
): Promise<GoValue> {
  const { signal } = world;
  const isNative = options.string('mode') === 'native';
  const size = options.bool('size');
  if (isDocument(container)) return containerValue(container);
  if (isContainer(container)) {
    if (isNative) return plainValue(nativeDocument(container.view));
    return containerValue(await describeContainer(ctx, container, { size, signal }));
  }
  if (container && (type === 'container' || !hasCode(container, 'NOT_FOUND'))) throw container;
  if (type === 'network') return networkNamed(world, name);
  if (type === 'volume') {
    const volume = await volumeFor(ctx, name);
    if (volume === undefined) throw noSuchVolume(name);
    return volume;
  }
  try {
    const [{ inspectImage }, { imageDocument }] = await Promise.all([
      import('../../../image/inspect.ts'),
      import('../image/inspect.ts'),
    ]);
    const { snapshotter } = world.settings;
    const value = imageDocument(await inspectImage(ctx, { nameOrId: name, snapshotter, signal }));
    if (size) world.log.warn('--size ignored for image');
    return value;
  } catch (error) {
    if (!container || !hasCode(error, 'NOT_FOUND', 'INVALID')) throw error;
    const network = await networkNamed(world, name).catch((missing: unknown) => {
      if (hasCode(missing, 'NOT_FOUND')) return undefined;
      throw missing;
    });
    if (network !== undefined) return network;
    const volume = await volumeFor(ctx, name);
    if (volume !== undefined) return volume;
    const hint = container.hint === undefined ? {} : { hint: container.hint };
    throw new HealthctlError('NOT_FOUND', `No such object: ${name}`, hint);
  }
}

/** Throws NOT_FOUND. */
async function networkNamed(world: Pick<World, 'clock' | 'log' | 'settings'>, name: string): Promise<GoValue> {
  const [{ describeNetwork }, { openNetworks }] = await Promise.all([
    import('../network/inspect.ts'),
    import('../../network-context.ts'),
  ]);
  return describeNetwork(openNetworks(world), name);
}

async function volumeFor(ctx: ContainerContext, name: string): Promise<GoValue | undefined> {
  const { findVolumeDocument } = await import('../volume/inspect.ts');
  return findVolumeDocument(ctx, name);
}

/** A template that fails on a document is no usage error: Docker exits with 1. */
function withExitOne(error: Error): Error {
  if (!hasCode(error, 'USAGE')) return error;
  return new HealthctlError('INVALID', error.message, { cause: error });
}
