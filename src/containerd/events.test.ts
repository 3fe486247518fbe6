import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { eventFromEnvelope, OWN_EVENT_TYPE_URL, openEvents } from './events.ts';
import { ContainerUpdate, TaskExit } from './gen/containerd/event_types.ts';
import type { Envelope } from './gen/containerd/events.ts';
import type { Rpc } from './rpc.ts';

const at = { seconds: 1_767_225_600, nanos: 5_000_000 };
const envelope = (topic: string, value: Uint8Array, typeUrl = 'containerd.events.X'): Envelope => ({
  timestamp: at,
  namespace: 'default',
  topic,
  event: { typeUrl, value: Buffer.from(value) },
});
const exit = (id: string) =>
  TaskExit.encode({ containerId: 'web', id, pid: 7, exitStatus: 3, exitedAt: { seconds: 9, nanos: 0 } }).finish();

test('distinguishes the exit of the main process from that of an exec', () => {
  const common = { namespace: 'default', atMs: 1_767_225_600_005, id: 'web' };
  expect(eventFromEnvelope(envelope('/tasks/exit', exit('web')))).toEqual({
    ...common,
    kind: 'task-exited',
    pid: 7,
    exitStatus: 3,
    exitedAtMs: 9_000,
  });
  expect(eventFromEnvelope(envelope('/tasks/exit', exit('sh')))).toEqual({
    ...common,
    kind: 'exec-exited',
    execId: 'sh',
    exitStatus: 3,
  });
});

test('an update has all labels', () => {
  const bytes = ContainerUpdate.encode({ id: 'web', image: '', labels: { a: '1', b: '' } }).finish();
  expect(eventFromEnvelope(envelope('/containers/update', bytes))).toMatchObject({ labels: { a: '1', b: '' } });
});

test.each([
  ['an event with an unknown topic', envelope('/snapshot/prepare', exit('web'))],
  ['an event whose bytes are no message', envelope('/tasks/exit', Buffer.from([0xff, 0xff, 0xff]))],
  [
    'an event of another type under our topic',
    envelope('/healthctl/health-status', Buffer.from('{}'), 'somebody.Else'),
  ],
  ['an event without data', { ...envelope('/tasks/exit', Buffer.alloc(0)), event: undefined } as unknown as Envelope],
])('ignores %s', (_what, given) => {
  expect(eventFromEnvelope(given)).toBeUndefined();
});

/** An exchange that loses the first marks, like a subscription that is registered late. */
function lateExchange(lostMarks: number) {
  const clock = createFakeClock();
  const waiting: Envelope[] = [];
  let wake = () => {};
  let lost = 0;
  const rpc: Rpc = {
    call: (async (_service, _method, request: { topic: string; event: Envelope['event'] }) => {
      lost += 1;
      if (lost <= lostMarks) return {};
      waiting.push({ timestamp: at, namespace: 'default', topic: request.topic, event: request.event } as Envelope);
      wake();
      return {};
    }) as Rpc['call'],
    stream: async function* () {
      for (;;) {
        const next = waiting.shift();
        if (next) yield next as never;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
    duplex: () => {
      throw new Error('not used');
    },
  };
  const push = (given: Envelope): void => {
    waiting.push(given);
    wake();
  };
  return { rpc, clock, push };
}

test('a subscription is live once its mark has returned, and its consumer gets no marks', async () => {
  const { rpc, clock, push } = lateExchange(2);
  const subscribing = openEvents(rpc, clock).subscribe({
    signal: new AbortController().signal,
    withoutExecs: 'healthctl-check-',
  });
  let isLive = false;
  void subscribing.then(() => {
    isLive = true;
  });
  push(envelope('/tasks/exit', exit('web')));
  await clock.advance(60);
  expect(isLive).toBe(false);
  await clock.advance(100);
  expect(isLive).toBe(true);
  push(envelope('/healthctl/health-status', Buffer.from('{"x":1}'), OWN_EVENT_TYPE_URL));
  const seen: string[] = [];
  for await (const event of await subscribing) {
    seen.push(event.kind);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual(['task-exited', 'own']);
  await clock.advance(1_000);
  expect(clock.sleepers).toBe(0);
});
