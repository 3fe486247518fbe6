import type { Server, Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { tapSocket } from '../system/tapped-socket.ts';
import { createFrameCost } from './frame-cost.ts';

/**
 * What all clients of the server may cost in a second, a fifth of a processor at most; each has an equal part of it. It is 600 calls, more than
 * the load balancers of a host make.
 */
const UNITS_PER_SECOND = 20_000;
/** What one may cost at once after it was quiet, and when it has just connected: a client could connect again and again. */
const BURST_UNITS = 20_000;
const FIRST_UNITS = 5_000;

/**
 * Slows clients down that send more frames than are good for the monitor, which has other work: they are not read from until they have paid.
 * Nothing is lost, and nobody else waits. HTTP/2 itself bounds little of what says nothing: a client could send WINDOW_UPDATE, PRIORITY and
 * unknown frames, or begin calls and reset them, as fast as a processor takes them.
 *
 * To be called before others put themselves before the listeners that the server has for connections.
 */
export function paceFrames(server: Server, clock: Pick<Clock, 'monotonic' | 'after'>): void {
  const serve = server.listeners('connection');
  const open = new Set<Socket>();
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    const cost = createFrameCost();
    const purse = createPurse(clock, () => UNITS_PER_SECOND / open.size);
    let wait: { cancel(): void } | undefined;
    const { stream } = tapSocket(socket, (bytes, tapped) => {
      const debtMs = purse.pay(cost.of(bytes));
      if (debtMs <= 0) return;
      tapped.hold();
      wait?.cancel();
      wait = clock.after(debtMs, tapped.release);
    });
    socket.once('close', () => {
      open.delete(socket);
      wait?.cancel();
    });
    for (const listener of serve) listener.call(server, stream);
  });
}

/** What one client has left of its part. @returns from pay: milliseconds until it is out of debt */
function createPurse(clock: Pick<Clock, 'monotonic'>, unitsPerSecond: () => number) {
  let units = FIRST_UNITS;
  let atMs = clock.monotonic();
  return {
    pay: (cost: number): number => {
      const nowMs = clock.monotonic();
      const rate = unitsPerSecond();
      units = Math.min(BURST_UNITS, units + ((nowMs - atMs) / 1_000) * rate) - cost;
      atMs = nowMs;
      return units >= 0 ? 0 : (-units / rate) * 1_000;
    },
  };
}
