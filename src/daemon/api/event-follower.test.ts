import { expect, test } from 'vitest';
import type { HostEvent } from '../../events/host-event.ts';
import { createEventFollower } from './event-follower.ts';

const eventOf = (id: string): HostEvent => ({
  ...{ type: 'container', action: 'start', id, atMs: 0, attributes: {}, namespace: 'default' },
});
const never = new AbortController().signal;

test('gives the past, then what was queued, and ends when it is due', async () => {
  const follower = createEventFollower(({ id }) => id !== 'other');
  for (const id of ['c', 'other', 'd']) follower.take(eventOf(id));
  const given: string[] = [];
  const give = async ({ id }: HostEvent) => void given.push(id);
  await follower.drain(give, { past: [eventOf('a'), eventOf('b')], signal: never, due: Promise.resolve() });
  expect(given).toEqual(['a', 'b', 'c', 'd']);
});

test.each([
  ['an event', []],
  ['the past', [eventOf('past')]],
])('a client that never takes %s is cut off', async (_name, past) => {
  const follower = createEventFollower(() => true);
  const drained = follower.drain(() => new Promise(() => {}), { past, signal: never, due: undefined });
  const refused = expect(drained).rejects.toThrow('a client that does not read was cut off');
  for (let count = 0; count <= 10_002; count += 1) follower.take(eventOf('x'));
  await refused;
});

test('what a client leaves untaken while it takes is not lost', async () => {
  const follower = createEventFollower(() => true);
  const given: string[] = [];
  let free = (): void => {};
  const give = ({ id }: HostEvent) => {
    given.push(id);
    return new Promise<void>((resolve) => {
      free = resolve;
    });
  };
  const left = new AbortController();
  const drained = follower.drain(give, { past: [], signal: left.signal, due: undefined });
  for (const id of ['a', 'b']) follower.take(eventOf(id));
  await expect.poll(() => given).toEqual(['a']);
  free();
  await expect.poll(() => given).toEqual(['a', 'b']);
  left.abort();
  free();
  await drained;
});
