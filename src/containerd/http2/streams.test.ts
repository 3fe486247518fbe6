import { expect, test } from 'vitest';
import { createFrameParser, type Frame, TYPE } from './frames.ts';
import { createSendWindows } from './send-windows.ts';
import { createStreams } from './streams.ts';

const NAMES = Object.entries(TYPE);

/** The streams of a connection whose peer allows two at a time, and the frames that they sent, e.g. `headers 1`. */
function setUp() {
  const sent: string[] = [];
  const parser = createFrameParser();
  const show = ({ type, streamId, payload }: Frame) =>
    `${NAMES.find(([, number]) => number === type)?.[0]} ${streamId}${type === TYPE.data ? ` ${payload}` : ''}`;
  const outbox = { add: (frame: Buffer) => void sent.push(...parser.feed(frame).map(show)), addedBytes: 0 };
  const streams = createStreams(outbox, createSendWindows(outbox), 65_535);
  streams.setMaxOpen(2);
  const ends: string[] = [];
  const open = (name: string) =>
    streams.open(Buffer.from(name), {
      onHeaders: () => {},
      onData: () => {},
      onEnd: (cut) => ends.push(`${name}: ${cut?.message ?? 'whole'}`),
    });
  const endByPeer = (id: number) => {
    const stream = streams.get(id);
    if (stream) streams.endByPeer(stream);
  };
  return { streams, sent, ends, open, endByPeer };
}

test('a waiting stream sends nothing; once it begins it sends everything, in the order of ids', async () => {
  const { sent, ends, open, endByPeer } = setUp();
  open('a').end();
  open('b').end();
  const waiting = open('c');
  void waiting.send(Buffer.from('hello'));
  waiting.end();
  await Promise.resolve();
  expect(sent).toEqual(['headers 1', 'data 1 ', 'headers 3', 'data 3 ']);
  endByPeer(3);
  expect(sent.slice(4)).toEqual(['headers 5', 'data 5 hello']);
  expect(ends).toEqual(['b: whole']);
});

test('a cancelled stream is reset before its slot is used again; a waiting one is never sent', () => {
  const { sent, ends, open } = setUp();
  const first = open('a');
  open('b');
  const [third] = [open('c'), open('d')];
  third.cancel();
  first.cancel();
  first.cancel();
  expect(sent).toEqual(['headers 1', 'headers 3', 'reset 1', 'headers 5']);
  expect(ends).toEqual([]);
});

test('GOAWAY ends the streams that the peer did not process, waiting ones too', () => {
  const { streams, sent, ends, open, endByPeer } = setUp();
  for (const name of ['a', 'b', 'c']) open(name).end();
  streams.goAway(1, new Error('gone'));
  expect([ends, streams.canOpen]).toEqual([['c: gone', 'b: gone'], false]);
  endByPeer(1);
  expect(ends.at(-1)).toBe('a: whole');
  expect(sent.filter((frame) => frame.startsWith('headers'))).toEqual(['headers 1', 'headers 3']);
});

test('a lost connection ends each stream once, and drops what was to be sent', async () => {
  const { streams, ends, open } = setUp();
  open('a');
  open('b');
  const waiting = open('c');
  const sending = waiting.send(Buffer.from('x'));
  streams.cutOffAll(new Error('lost'));
  streams.cutOffAll(new Error('lost again'));
  await sending;
  await waiting.send(Buffer.from('y'));
  expect(ends).toEqual(['c: lost', 'a: lost', 'b: lost']);
});
