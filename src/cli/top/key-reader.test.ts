import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { listenToKeys } from './key-reader.ts';

function start() {
  const clock = createFakeClock();
  const keys: string[] = [];
  const stdin = Object.assign(new EventEmitter(), { pause: () => {} });
  const end = listenToKeys(stdin as unknown as NodeJS.ReadStream, {
    clock,
    onKey: (key) => keys.push(key),
    onEnd: () => keys.push('END'),
  });
  return { clock, keys, end, stdin, send: (text: string | Buffer) => stdin.emit('data', Buffer.from(text)) };
}

test('an escape character is a key when nothing comes after it', async () => {
  const { clock, keys, send } = start();
  send('j\x1b');
  await clock.advance(49);
  expect(keys).toEqual(['j']);
  await clock.advance(1);
  expect(keys).toEqual(['j', 'escape']);
  send('\x1b');
  await clock.advance(30);
  send('[B');
  await clock.advance(100);
  expect(keys).toEqual(['j', 'escape', 'down']);
});

test('a character in two parts is one; the end of the terminal is told; nothing comes after the end', () => {
  const { keys, send, end, stdin } = start();
  const bytes = Buffer.from('語');
  send(bytes.subarray(0, 1));
  send(bytes.subarray(1));
  stdin.emit('end');
  end();
  send('q');
  expect([keys, stdin.listenerCount('data'), stdin.listenerCount('error')]).toEqual([['語', 'END'], 0, 0]);
});
