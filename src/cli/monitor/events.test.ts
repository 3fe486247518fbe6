import { expect, test } from 'vitest';
import type { EventRange } from '../../events/event-source.ts';
import type { HostEvent } from '../../events/host-event.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { withoutEnd } from './events.ts';

const event = (id: string, atMs: number): HostEvent => ({
  ...{ type: 'container', action: 'die', id, atMs, namespace: 'default', attributes: {} },
});
const ENDED = new HealthctlError('UNAVAILABLE', 'the monitor has ended');
const clock = { now: () => 50_000 };
const { signal } = new AbortController();

/** Event sources, one after the other: the events of each, and how it ends. */
function sources(...scripts: readonly (readonly [isFromMonitor: boolean, ...(HostEvent | HealthctlError)[]])[]) {
  const ranges: EventRange[] = [];
  const open = async (range: EventRange) => {
    const [isFromMonitor = false, ...script] = scripts[ranges.length] ?? [];
    ranges.push(range);
    const events = async function* () {
      for (const entry of script) {
        if (entry instanceof HealthctlError) throw entry;
        yield entry;
      }
    };
    return { events: events(), isFromMonitor };
  };
  return { open, ranges };
}

async function idsOf(events: AsyncIterable<HostEvent>): Promise<string> {
  const ids: string[] = [];
  for await (const { id } of events) ids.push(id);
  return ids.join('');
}

test('continues with the next source, and shows no event twice', async () => {
  const { open, ranges } = sources(
    [true, event('a', 61_000), event('b', 62_000), ENDED],
    [true, event('b', 62_000), event('c', 63_000), ENDED],
    [false, event('c', 63_000), event('c', 63_001), event('d', 64_000)],
  );
  expect(await idsOf(withoutEnd(open, { signal }, clock))).toBe('abccd');
  expect(ranges.map(({ sinceMs }) => sinceMs)).toEqual([undefined, 52_000, 53_000]);
});

test('requests no events from before the requested start', async () => {
  const { open, ranges } = sources([true, event('a', 49_500), ENDED], [true, event('a', 49_500), ENDED], [false]);
  expect(await idsOf(withoutEnd(open, { signal, sinceMs: 49_000 }, clock))).toBe('a');
  expect(ranges.map(({ sinceMs }) => sinceMs)).toEqual([49_000, 49_000, 49_000]);
});

test('shows events that look like duplicates within the first source', async () => {
  const { open } = sources([true, event('a', 1), event('a', 1)]);
  expect(await idsOf(withoutEnd(open, { signal }, clock))).toBe('aa');
});

test.each([
  ['of containerd', [false, ENDED] as const, 'UNAVAILABLE'],
  ['of another code', [true, new HealthctlError('EXHAUSTED', 'too much')] as const, 'EXHAUSTED'],
])('reports an error %s', async (_, script, code) => {
  await expect(idsOf(withoutEnd(sources(script).open, { signal }, clock))).rejects.toMatchObject({ code });
});
