import { writerTo } from '../../../container/console/user-console.ts';
import type { EventSource } from '../../../events/event-source.ts';
import { BAD_FORMAT, matchesEvent, parseEventFilters } from '../../../events/filter.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { timeRangeFrom } from '../../flags/time-range.ts';
import { CONTAINER, FORMAT, IMAGE, LABEL, NETWORK, VOLUME } from '../../flags/values.ts';
import { eventFormatter } from '../../format/event.ts';
import { openEventSource } from '../../monitor/events.ts';

/** What `--filter event=` takes: the first words of actions. */
const EVENT_WORDS: readonly string[] =
  'create start die destroy connect disconnect pause unpause kill stop restart rename oom exec_create exec_start exec_die health_status health_action tag untag pull push load save import delete'.split(
    ' ',
  );

/** `healthctl events`, as Docker's: of containers, images, networks and volumes of the namespace. */
export const events: Command = {
  usage: '[OPTIONS]',
  options: [
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'filter',
      help: 'Filter output based on conditions provided, e.g. container=NAME, event=health_status, image=NAME, label=KEY[=VALUE], type=container|image|network|volume',
      check: (text) => (text === '' || text.includes('=') ? undefined : BAD_FORMAT),
      complete: {
        after: {
          'container=': CONTAINER,
          'event=': { words: EVENT_WORDS },
          'image=': IMAGE,
          'label=': LABEL,
          'network=': NETWORK,
          'scope=': { words: ['local'] },
          'type=': { words: ['container', 'image', 'network', 'volume'] },
          'volume=': VOLUME,
        },
      },
    },
    {
      name: 'format',
      type: 'string',
      help: "Format output using a custom template: 'json', or a Go template",
      complete: FORMAT,
    },
    { name: 'since', type: 'string', help: 'Show all events created since timestamp' },
    { name: 'until', type: 'string', help: 'Stream events until this timestamp' },
  ],
  args: { min: 0, max: 0 },
  run: async (world, input) => showEvents(world, input, () => openEventSource(world)),
};

type EventsWorld = Pick<World, 'clock' | 'signal' | 'streams'>;

/** Prints each event as it comes. Invalid options are refused before anything is requested. */
export async function showEvents(
  { clock, signal, streams }: EventsWorld,
  { options }: Pick<CommandInput, 'options'>,
  open: () => Promise<EventSource>,
): Promise<CommandResult> {
  const format = options.string('format');
  const show = eventFormatter(format);
  const filters = parseEventFilters(options.list('filter'));
  const range = timeRangeFrom(options, { clock });
  const source = await open();
  const write = writerTo(streams.stdout, signal);
  for await (const event of source.events({ ...range, signal })) {
    if (!matchesEvent(filters, event)) continue;
    // A label may contain anything, and our line format is for people.
    const text = format ? show(event) : printableLine(show(event));
    await write(Buffer.from(`${text}\n`));
  }
  return {};
}
