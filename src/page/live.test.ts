import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createLiveFeed, MAX_STREAMS } from './live.ts';
import type { HostAnswer, PresentState } from './wire.ts';

class FakeResponse {
  readonly sent: string[] = [];
  writableLength = 0;
  isDestroyed = false;
  #onClose = (): void => {};
  writeHead(): this {
    return this;
  }
  flushHeaders(): void {}
  write(text: string): boolean {
    this.sent.push(text);
    return true;
  }
  once(_event: string, onClose: () => void): this {
    this.#onClose = onClose;
    return this;
  }
  destroy(): void {
    this.isDestroyed = true;
    this.#onClose();
  }
  /** The data of the events with this name. */
  of(event: string): readonly unknown[] {
    return this.sent.flatMap((text) => {
      const [, data = ''] = new RegExp(`^event: ${event}\ndata: (.*)\n\n$`).exec(text) ?? [];
      return data === '' ? [] : [JSON.parse(data) as unknown];
    });
  }
}

const present = (key: string): PresentState => ({
  ...{ key, status: 'healthy', failingStreak: 0, lastCheck: null, isRestarting: false },
});

function setUp() {
  const clock = createFakeClock(5_000);
  const there = new Set(['default/a', 'default/b']);
  const feed = createLiveFeed({
    clock,
    presentOf: (key) => (there.has(key) ? present(key) : undefined),
    host: () => ({ pid: 1 }) as HostAnswer,
  });
  const connect = () => {
    const response = new FakeResponse();
    feed.serve(response as unknown as ServerResponse);
    return response;
  };
  return { clock, feed, there, connect };
}

test('sends the changes of a second in one message', async () => {
  const { clock, feed, connect } = setUp();
  const client = connect();
  feed.onResult('default/a', 0);
  feed.onResult('default/a', 1);
  feed.onChange('default/b');
  await clock.advance(1_000);
  expect(client.of('update')).toEqual([
    {
      atMs: 6_000,
      containers: [
        { ...present('default/a'), succeeded: 1, failed: 1 },
        { ...present('default/b'), succeeded: 0, failed: 0 },
      ],
      gone: [],
    },
  ]);
  feed.stop();
});

test('reports a removed container as such, but not one that was created again meanwhile', async () => {
  const { clock, feed, there, connect } = setUp();
  const client = connect();
  there.delete('default/a');
  feed.onChange('default/a');
  feed.onGone('default/a');
  feed.onGone('default/b');
  await clock.advance(1_000);
  expect(client.of('update')).toEqual([{ atMs: 6_000, containers: [], gone: ['default/a'] }]);
  feed.stop();
});

test("sends the monitor's state at once and every five seconds, and does nothing without clients", async () => {
  const { clock, feed, connect } = setUp();
  feed.onResult('default/a', 0);
  const client = connect();
  await clock.advance(10_000);
  expect([client.of('host').length, client.of('update').length]).toEqual([3, 0]);
  client.destroy();
  await clock.advance(10_000);
  expect(client.of('host').length).toBe(3);
});

test('disconnects a client that does not read, and no other', async () => {
  const { clock, feed, connect } = setUp();
  const [slow, quick] = [connect(), connect()];
  slow.writableLength = 1 << 20;
  feed.onChange('default/a');
  await clock.advance(1_000);
  expect([slow.isDestroyed, quick.of('update').length]).toEqual([true, 1]);
  feed.stop();
});

test('limits the number of clients, and frees a slot when one disconnects', () => {
  const { feed, connect } = setUp();
  const clients = Array.from({ length: MAX_STREAMS }, connect);
  expect(connect).toThrow('16 other browsers are looking at this page');
  clients[0]?.destroy();
  connect();
  feed.stop();
});
