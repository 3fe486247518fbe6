import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { FLAG, frameFrom, TYPE } from './frames.ts';
import { createPingAnswers } from './ping-answers.ts';

function start() {
  const sent: string[] = [];
  const outbox = {
    addedBytes: 0,
    add: (frame: Buffer) => {
      outbox.addedBytes += frame.length;
      sent.push(frame.toString('latin1'));
    },
  };
  const clock = createFakeClock();
  return { sent, outbox, clock, pings: createPingAnswers(outbox, clock) };
}

const ping = (name: string): Buffer => Buffer.from(name.padEnd(8));
const answer = (name: string): string => frameFrom(TYPE.ping, FLAG.ack, 0, ping(name)).toString('latin1');

test('an answer is sent a second later, with the same payload', async () => {
  const { sent, clock, pings } = start();
  const payload = ping('one');
  pings.receive(payload);
  payload.fill(0); // the connection uses the buffer again
  await clock.advance(999);
  expect(sent).toEqual([]);
  await clock.advance(1);
  expect(sent).toEqual([answer('one')]);
});

test('the next ping sends the previous answer', () => {
  const { sent, pings } = start();
  pings.receive(ping('one'));
  pings.receive(ping('two'));
  expect(sent).toEqual([answer('one')]);
});

test('under load, answers are sent at once', () => {
  const { sent, outbox, pings } = start();
  pings.receive(ping('one'));
  outbox.addedBytes += 60 << 10;
  pings.answerIfBusy();
  expect(sent).toEqual([]);
  outbox.addedBytes += 10 << 10;
  pings.answerIfBusy();
  expect(sent).toEqual([answer('one')]);
  outbox.addedBytes += 70 << 10;
  pings.receive(ping('two'));
  expect(sent).toEqual([answer('one'), answer('two')]);
});

test('nothing is sent after the end', async () => {
  const { sent, clock, pings } = start();
  pings.receive(ping('one'));
  pings.stop();
  await clock.advance(5_000);
  expect(sent).toEqual([]);
});
