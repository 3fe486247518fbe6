import { useEffect, useState } from 'preact/hooks';
import { RANGES, type RangeName } from '../wire.ts';
import { ContainerView } from './container-view.tsx';
import { STATUS_LEVELS } from './format.ts';
import { HostView } from './host-view.tsx';
import { Login } from './login.tsx';
import { Overview } from './overview.tsx';
import { hashOf, type Route, routeFrom } from './route.ts';
import { type MonitorState, useMonitor } from './use-monitor.ts';

/** The page. */
export function App() {
  const route = useRoute();
  const monitor = useMonitor(route.range);
  const { login, error, lastChange } = monitor;
  return (
    <>
      <button type="button" class="skip" onClick={focusMain}>
        Skip to content
      </button>
      <Header route={route} monitor={monitor} />
      <main id="main" tabIndex={-1}>
        {error !== '' && (
          <p role="alert" class="alert">
            {error}
          </p>
        )}
        {login === undefined ? (
          <Content route={route} monitor={monitor} />
        ) : (
          <Login problem={login} onDone={monitor.restart} />
        )}
      </main>
      <p class="unseen" aria-live="polite">
        {lastChange ? `${lastChange.name} is ${lastChange.status}` : ''}
      </p>
    </>
  );
}

/** No link: the part after `#` is the route. */
const focusMain = (): void => document.getElementById('main')?.focus();

function Content({ route, monitor }: { readonly route: Route; readonly monitor: MonitorState }) {
  const { view, range } = route;
  const { overview, host, versions } = monitor;
  switch (view.kind) {
    case 'containers':
      return overview ? <Overview overview={overview} range={range} /> : <p class="quiet">Loading …</p>;
    case 'container':
      return (
        <ContainerView
          key={view.key}
          containerKey={view.key}
          range={range}
          live={overview?.containers.find(({ key }) => key === view.key)}
          version={versions.get(view.key) ?? 0}
        />
      );
    case 'host':
      return host ? <HostView host={host} /> : <p class="quiet">Loading …</p>;
  }
}

function Header({ route, monitor }: { readonly route: Route; readonly monitor: MonitorState }) {
  const { host, overview, isLive } = monitor;
  const bad = overview?.containers.filter(({ status }) => STATUS_LEVELS[status] === 'bad').length ?? 0;
  useEffect(() => {
    document.title = `${bad > 0 ? `(${bad}) ` : ''}healthctl${host ? ` · ${host.hostname}` : ''}`;
  }, [bad, host]);
  const link = (kind: 'containers' | 'host', text: string) => (
    <a href={hashOf({ ...route, view: { kind } })} aria-current={route.view.kind === kind ? 'page' : undefined}>
      {text}
    </a>
  );
  return (
    <header class="top">
      <h1>healthctl{host && <span class="quiet"> {host.hostname}</span>}</h1>
      <nav aria-label="Views">
        {link('containers', 'Containers')}
        {link('host', 'Host')}
      </nav>
      {route.view.kind !== 'host' && <RangePicker route={route} />}
      <p class={`connection ${isLive ? 'good' : 'warn'}`} role="status">
        {isLive ? 'live' : 'not connected'}
      </p>
    </header>
  );
}

const SHORT_RANGES: Readonly<Record<RangeName, string>> = { '90m': '90 min', '24h': '24 h', '7d': '7 days' };

function RangePicker({ route }: { readonly route: Route }) {
  return (
    <nav aria-label="Period" class="ranges">
      {(Object.keys(RANGES) as RangeName[]).map((range) => (
        <a key={range} href={hashOf({ ...route, range })} aria-current={route.range === range ? 'true' : undefined}>
          {SHORT_RANGES[range]}
        </a>
      ))}
    </nav>
  );
}

function useRoute(): Route {
  const [route, setRoute] = useState(() => routeFrom(location.hash));
  useEffect(() => {
    const onHash = (): void =>
      setRoute((before) => {
        const next = routeFrom(location.hash);
        const isMoved = hashOf({ ...next, range: '90m' }) !== hashOf({ ...before, range: '90m' });
        // As a new page does.
        if (isMoved) {
          document.getElementById('main')?.focus({ preventScroll: true });
          scrollTo(0, 0);
        }
        return next;
      });
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, []);
  return route;
}
