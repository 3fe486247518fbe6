import type { Server, Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { tapSocket } from '../system/tapped-socket.ts';
import { createFrameCost } from './frame-cost.ts';

/**
 * Total cost of all clients per second, at most a fifth of a processor; each has an equal share. It allows 600 calls,
 * more than the load balancers of a host make.
 */
const UNITS_PER_SECOND = 20_000;
/** Burst of a client after a quiet time, and for a new connection: a client could reconnect repeatedly. */
const BURST_UNITS = 20_000;
const FIRST_UNITS = 5_000;

/**
 * Slows down clients that send too many frames for the monitor, which has other work: it does not read from them until
 * their budget has recovered. Nothing is lost, and no other client waits. HTTP/2 itself hardly limits meaningless
 * frames: a client could send WINDOW_UPDATE, PRIORITY and unknown frames, or begin and reset calls, as fast as a
 * processor handles them.
 *
 * Call it before others install their own connection listeners on the server.
 */
export function paceFrames(server: Server, clock: Pick<Clock, 'monotonic' | 'after'>): void {
  const serve = server.listeners('connection');
  const open = new Set<Socket>();
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    const cost = createFrameCost();
    const budget = createBudget(clock, () => UNITS_PER_SECOND / open.size);
    let wait: { cancel(): void } | undefined;
    const { stream } = tapSocket(socket, (bytes, tapped) => {
      const debtMs = budget.spend(cost.of(bytes));
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

/** The budget of one client. @returns from spend: milliseconds until the budget is no longer overdrawn */
function createBudget(clock: Pick<Clock, 'monotonic'>, unitsPerSecond: () => number) {
  let units = FIRST_UNITS;
  let atMs = clock.monotonic();
  return {
    spend: (cost: number): number => {
      const nowMs = clock.monotonic();
      const rate = unitsPerSecond();
      units = Math.min(BURST_UNITS, units + ((nowMs - atMs) / 1_000) * rate) - cost;
      atMs = nowMs;
      return units >= 0 ? 0 : (-units / rate) * 1_000;
    },
  };
}
