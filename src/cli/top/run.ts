import { HealthctlError } from '../../lib/errors.ts';
import { parseListFilters } from '../../record/list-filter.ts';
import type { World } from '../../world.ts';
import type { CommandInput, CommandResult, ParsedOptions } from '../command.ts';
import { ASCII, type Marks, UNICODE } from './columns.ts';
import { COLOURED, UNCOLOURED } from './line.ts';
import { createLooker } from './look.ts';
import { runSession } from './session.ts';
import { runSnapshots } from './snapshot.ts';
import { SORTS } from './state.ts';
import { TopLog } from './top-log.ts';

const NS_PER_MS = 1_000_000n;
/** Looking more often would be most of what happens on the host. */
const SHORTEST_MS = 200;

/** `healthctl top` without a container: the screen; lines where there is no terminal, or on request. */
export async function runTop(given: World, { options }: Pick<CommandInput, 'options'>): Promise<CommandResult> {
  const everyMs = Number((options.duration('interval') ?? 0n) / NS_PER_MS);
  if (everyMs < SHORTEST_MS) throw new HealthctlError('INVALID', `the interval must be at least ${SHORTEST_MS}ms`);
  const log = new TopLog(given.log);
  const world = { ...given, log };
  const isEverywhere = options.bool('all-namespaces');
  const filters = parseListFilters(options.list('filter'));
  const looker = createLooker(world, { isEverywhere, filters, everyMs });
  const first = await looker.look(world.signal);
  const shared = {
    ...{ looker, first, sort: SORTS.find((sort) => sort === options.string('sort')) ?? 'status' },
    namespace: isEverywhere ? undefined : world.settings.namespace,
  };
  const marks = marksOf(world.env);
  if (isForScreen(world, options)) {
    const palette = (world.env.NO_COLOR ?? '') === '' ? COLOURED : UNCOLOURED;
    return runSession(world, { ...shared, everyMs, log, appearance: { palette, marks } });
  }
  const isRepeated = options.given('interval') && !options.bool('once');
  return runSnapshots(world, {
    ...{ ...shared, marks, format: options.string('format') },
    everyMs: isRepeated ? everyMs : undefined,
  });
}

/** Whether there is a terminal that can show a screen, and somebody to look at it. */
function isForScreen({ streams, env }: Pick<World, 'streams' | 'env'>, options: ParsedOptions): boolean {
  if (options.bool('once') || options.given('format')) return false;
  const { TERM = '' } = env;
  return streams.stdin.isTTY === true && streams.stdout.isTTY === true && TERM !== '' && TERM !== 'dumb';
}

/** By the locale, as everywhere: a terminal that is not told to be UTF-8 would show three characters for a mark. */
function marksOf({ LC_ALL, LC_CTYPE, LANG }: World['env']): Marks {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') ? UNICODE : ASCII;
}
