import type { HostAnswer } from '../wire.ts';
import { bytesText, spanText } from './format.ts';

/** The state of the monitor. */
export function HostView({ host }: { readonly host: HostAnswer }) {
  const { lag, descriptors } = host;
  const rows: readonly (readonly [string, string])[] = [
    ['Host', host.hostname],
    ['containerd', `${host.address}${host.isLive ? '' : ': does not answer'}`],
    ['Namespaces', host.namespaces.length === 0 ? 'all' : host.namespaces.join(', ')],
    ['Monitor', `process ${host.pid}, healthctl ${host.version} (${host.commit})`],
    ['Runs', `for ${spanText(host.nowMs - host.startedAtMs)}`],
    ['Containers', `${host.containers}, ${host.checked} of them checked, ${host.unhealthy} unhealthy`],
    ['Without a result', `${host.troubled}: their last check could not be made or recorded`],
    ['Checks', `${host.checksMade} made, ${host.checksInFlight} in flight, ${host.checksWaiting} wait for a slot`],
    [
      'Lateness',
      lag
        ? `${round(lag.p50Ms)} ms (median), ${round(lag.p99Ms)} ms (99 %), ${round(lag.maxMs)} ms (most)`
        : 'no check yet',
    ],
    ['Memory', bytesText(host.memoryBytes)],
    ['Descriptors', `${descriptors.open} of ${descriptors.limit}`],
    ['History', host.keepsHistory ? 'kept' : 'not kept'],
  ];
  return (
    <>
      <h2>Host</h2>
      {!host.isLive && (
        <p role="alert" class="alert">
          containerd does not answer: what is shown is the last known state.
        </p>
      )}
      <dl class="table">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

const round = (ms: number): string => ms.toFixed(ms < 10 ? 1 : 0);
