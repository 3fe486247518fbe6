import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { createRetriedListener } from './retried-listener.ts';

/** A listener whose attempts end as listed, and what it logged and closed. */
function listenerOf(attempts: readonly (() => Promise<void>)[]) {
  const clock = createFakeClock();
  const seen: string[] = [];
  const rest = [...attempts];
  const listener = createRetriedListener({
    listen: async () => {
      await rest.shift()?.();
      return { close: async () => void seen.push('closed') };
    },
    ...{ opened: 'open', failed: 'no server', clock },
    log: { info: (text) => void seen.push(text), warn: (text) => void seen.push(text) },
  });
  return { listener, clock, seen };
}

const fails = (message: string) => async (): Promise<never> => {
  throw new Error(message);
};

test('a failure is logged once, and tried again until it listens', async () => {
  const { listener, clock, seen } = listenerOf([fails('in use'), fails('no file')]);
  await listener.start();
  expect([seen, listener.listening]).toEqual([['no server, retrying: in use'], undefined]);
  await clock.advance(10_000);
  await clock.advance(10_000);
  expect(seen).toEqual(['no server, retrying: in use', 'open']);
  expect(listener.listening).toBeDefined();
  await listener.stop();
  expect([seen.at(-1), listener.listening]).toEqual(['closed', undefined]);
});

test('after its stop it is not tried again', async () => {
  const { listener, clock, seen } = listenerOf([fails('in use')]);
  await listener.start();
  await listener.stop();
  await clock.advance(60_000);
  expect(seen).toEqual(['no server, retrying: in use']);
});

test('what begins to listen after the stop is closed', async () => {
  let isReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const { listener, seen } = listenerOf([() => ready]);
  const started = listener.start();
  await listener.stop();
  isReady();
  await started;
  expect([seen, listener.listening]).toEqual([['closed'], undefined]);
});

test('what fails after the stop is not tried again', async () => {
  const { listener, clock, seen } = listenerOf([fails('late')]);
  const started = listener.start();
  await listener.stop();
  await started;
  await clock.advance(60_000);
  expect(seen).toEqual(['no server, retrying: late']);
});
