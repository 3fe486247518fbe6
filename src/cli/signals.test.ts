import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { listenForSignals } from './signals.ts';

function start() {
  const source = new EventEmitter();
  const exits: number[] = [];
  const clock = createFakeClock();
  const signals = listenForSignals(source, (exitCode) => exits.push(exitCode), clock);
  const send = (name: NodeJS.Signals) => source.emit(name, name);
  return { source, exits, signals, send, clock };
}

describe('listenForSignals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s aborts, with exit status %d', (name, exitCode) => {
    const { signals, send } = start();
    expect([signals.signal.aborted, signals.exitCode()]).toEqual([false, undefined]);
    send(name);
    expect([signals.signal.aborted, signals.exitCode()]).toEqual([true, exitCode]);
  });

  test('counts a SIGINT that a wrapper delivers twice only once', async () => {
    const { exits, send, clock } = start();
    send('SIGINT');
    send('SIGINT');
    await clock.advance(499);
    send('SIGINT');
    expect(exits).toEqual([]);
    await clock.advance(1);
    send('SIGINT');
    expect(exits).toEqual([130]);
  });

  test('exits at once at a second SIGINT; a second SIGTERM changes nothing', async () => {
    const { exits, send, signals, clock } = start();
    send('SIGTERM');
    send('SIGTERM');
    expect(exits).toEqual([]);
    await clock.advance(500);
    send('SIGINT');
    expect(exits).toEqual([130]);
    expect(signals.exitCode()).toBe(143);
  });

  test('a command that handles signals gets all of them, and nothing aborts until it stops doing so', () => {
    const { source, signals, send } = start();
    const seen: string[] = [];
    const giveBack = signals.forwardTo((name) => seen.push(name));
    send('SIGINT');
    send('SIGINT');
    send('SIGWINCH');
    expect(seen).toEqual(['SIGINT', 'SIGINT', 'SIGWINCH']);
    expect(signals.signal.aborted).toBe(false);
    giveBack();
    giveBack();
    expect(source.listenerCount('SIGWINCH')).toBe(0);
    send('SIGINT');
    expect(seen).toHaveLength(3);
    expect(signals.exitCode()).toBe(130);
  });

  test('signals go to the last listener', () => {
    const { signals, send } = start();
    const seen: string[] = [];
    const outer = signals.forwardTo(() => seen.push('outer'));
    const inner = signals.forwardTo(() => seen.push('inner'));
    send('SIGINT');
    inner();
    send('SIGINT');
    outer();
    expect(seen).toEqual(['inner', 'outer']);
  });

  test('keeps the first reason to end', () => {
    const { signals, send } = start();
    signals.abort(141);
    send('SIGTERM');
    expect(signals.exitCode()).toBe(141);
  });

  test('passes a stop and a continuation to a command that asks for them; signals that end go on as before', () => {
    const { source, signals, send } = start();
    const got: string[] = [];
    const end = signals.onSuspend((name) => got.push(name));
    send('SIGTSTP');
    send('SIGCONT');
    send('SIGTERM');
    expect([got, signals.exitCode()]).toEqual([['SIGTSTP', 'SIGCONT'], 143]);
    end();
    // Without a listener, the kernel stops the process again.
    expect([source.listenerCount('SIGTSTP'), source.listenerCount('SIGCONT')]).toEqual([0, 0]);
  });
});
