import type { NativeTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import { processOfRun } from '../health/state.ts';
import { type Clock, type Stopwatch, startStopwatch } from '../lib/clock.ts';
import { isSameProcess, openNetworkNamespace } from '../system/netns.ts';
import { firstOf } from './first-of.ts';
import { probeHttp } from './http.ts';
import { type NetworkSession, openNetworkSession } from './network-session.ts';
import type { Prober, ProbeTarget } from './prober.ts';
import { probeTcp } from './tcp.ts';

/** Wait before a failure is confirmed: by then the main process of a container that ended is gone. */
const CONFIRM_AFTER_MS = 200;

/** The task shows whether it ended, or why its process cannot be found: see dropReason in src/check/check.ts. */
const GONE: Outcome = { kind: 'could-not-start', reason: "the container's main process is gone" };

/**
 * Probes from our own process over sockets in the container's network namespace: it needs no exec, no process, no call
 * to containerd, and nothing from the image. The timeout covers connecting, TLS, request and response.
 */
export function createNativeProber({ clock }: { readonly clock: Clock }): Prober<NativeTest> {
  return {
    probe: async (target, test, signal) => {
      const stopwatch = startStopwatch(clock);
      return { ...(await probeOnce({ clock, stopwatch, target, test, signal })), startMs: stopwatch.startMs };
    },
  };
}

async function probeOnce(job: {
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly target: ProbeTarget;
  readonly test: NativeTest;
  readonly signal: AbortSignal | undefined;
}): Promise<{ readonly outcome: Outcome; readonly endMs: number }> {
  const { clock, stopwatch, target, test, signal } = job;
  const { startMs } = stopwatch;
  const { timeoutNs } = target;
  const over = (outcome: Outcome, endMs = stopwatch.endMs()) => ({ outcome, endMs });
  if (signal?.aborted) return over({ kind: 'cancelled' });
  const main = processOfRun(target.runId);
  const namespace = main && openNetworkNamespace(main);
  if (!main || !namespace) return over(GONE);
  const session = openNetworkSession(namespace, main.pid);
  let outcome: Outcome;
  try {
    outcome = await firstOf(
      probeBy(session, test, clock).then((seen) => ({ outcome: seen })),
      { clock, timeoutNs, startMs, signal },
    );
    if (outcome.kind === 'timed-out') outcome = { ...outcome, output: session.seen() };
  } finally {
    session.close();
  }
  if (outcome.kind !== 'exited' || outcome.code === 0) return over(outcome);
  // The end of a container looks like a failure here: its server no longer answers. A killed process closes its sockets
  // before its end becomes visible.
  const endMs = stopwatch.endMs();
  await clock.sleep(CONFIRM_AFTER_MS, signal);
  if (signal?.aborted) return over({ kind: 'cancelled' });
  return over(isSameProcess(main) ? outcome : GONE, endMs);
}

async function probeBy(session: NetworkSession, test: NativeTest, clock: Clock): Promise<Outcome> {
  switch (test.kind) {
    case 'http':
      return probeHttp(session, test, clock);
    case 'tcp':
      return probeTcp(session, test);
    case 'grpc':
      return (await import('./grpc.ts')).probeGrpc(session, test, clock);
  }
}
