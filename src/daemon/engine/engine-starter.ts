import type { MonitorSettings } from '../../lib/settings.ts';
import type { DockerApi } from '../api/answers.ts';
import type { EngineAddress } from './engine-listener.ts';
import type { EngineServer, EngineServerDeps } from './engine-server.ts';

/** Starts the server of Docker's API where one is configured. */
export interface EngineStarter {
  start(): void;
  stop(): Promise<void>;
  /** Undefined while it serves nowhere. */
  readonly serving: DockerApi | undefined;
}

export function createEngineStarter(deps: EngineServerDeps): EngineStarter {
  const addresses = addressesOf(deps.settings.monitor);
  let server: Promise<EngineServer> | undefined;
  let opened: EngineServer | undefined;
  /** Loaded only where it is configured. */
  const open = async (): Promise<EngineServer> => {
    const { createEngineServer } = await import('./engine-server.ts');
    const made = createEngineServer(deps, addresses);
    opened = made;
    await made.start();
    return made;
  };
  return {
    start: () => {
      server = addresses.length === 0 ? undefined : open();
    },
    stop: async () => {
      await (await server)?.stop();
    },
    get serving() {
      return opened?.serving;
    },
  };
}

/** The Unix socket first: clients prefer it. */
function addressesOf({ dockerSocket: socket, dockerTcp: tcp }: MonitorSettings): readonly EngineAddress[] {
  const unix: readonly EngineAddress[] =
    socket === undefined ? [] : [socket === GIVEN_SOCKET ? { kind: 'given' } : { kind: 'path', path: socket }];
  return tcp ? [...unix, { kind: 'tcp', ...tcp }] : unix;
}

/** The setting that stands for a socket of systemd. */
const GIVEN_SOCKET = 'fd://';
