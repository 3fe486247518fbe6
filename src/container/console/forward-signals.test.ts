import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../../lib/errors.ts';
import { forwardSignals } from './forward-signals.ts';

function setUp(kill: () => Promise<void> = async () => undefined) {
  const killed: number[] = [];
  const debug: string[] = [];
  let listener: ((name: NodeJS.Signals) => void) | undefined;
  let forced = 0;
  const stop = forwardSignals({
    send: (signal) => {
      killed.push(signal);
      return kill();
    },
    console: {
      onSignal: (given) => {
        listener = given;
        return () => {
          listener = undefined;
        };
      },
    },
    log: { warn: () => {}, debug: (message) => debug.push(message) },
    onForce: () => {
      forced += 1;
    },
  });
  return {
    killed,
    debug,
    stop,
    send: (...names: NodeJS.Signals[]) => {
      for (const name of names) listener?.(name);
    },
    forced: () => forced,
  };
}

describe('forwardSignals', () => {
  test('passes on signals in their order, except those that are ours alone', async () => {
    const signals = setUp();
    signals.send('SIGHUP', 'SIGINT', 'SIGUSR1', 'SIGWINCH', 'SIGCHLD', 'SIGPIPE', 'SIGURG', 'SIGCONT');
    await new Promise((resolve) => setImmediate(resolve));
    expect(signals.killed).toEqual([1, 2, 10, 18]);
  });

  test('stops waiting at the third SIGINT or SIGTERM, once', () => {
    const signals = setUp();
    signals.send('SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP');
    expect(signals.forced()).toBe(0);
    signals.send('SIGINT', 'SIGINT');
    expect(signals.forced()).toBe(1);
  });

  test('a signal that cannot be delivered is no failure: the process may have ended', async () => {
    const signals = setUp(() => Promise.reject(new HealthctlError('NOT_FOUND', 'process already finished')));
    signals.send('SIGTERM');
    await new Promise((resolve) => setImmediate(resolve));
    expect(signals.debug).toEqual(['SIGTERM was not forwarded: process already finished']);
  });

  test('handles no signals after its end', () => {
    const signals = setUp();
    signals.stop();
    signals.send('SIGTERM');
    expect(signals.killed).toEqual([]);
  });
});
