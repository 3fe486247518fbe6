import type { DockerApi } from '../api/answers.ts';
import type { EngineServer, EngineServerDeps } from './engine-server.ts';

/** Starts the server of Docker's API where one is configured. */
export interface EngineStarter {
  start(): void;
  stop(): Promise<void>;
  /** Undefined while it serves nowhere. */
  readonly serving: DockerApi | undefined;
}

export function createEngineStarter(deps: EngineServerDeps): EngineStarter {
  const { dockerSocket: socket } = deps.settings.monitor;
  let server: Promise<EngineServer> | undefined;
  let opened: EngineServer | undefined;
  /** Loaded only where it is configured. */
  const open = async (at: string): Promise<EngineServer> => {
    const { createEngineServer } = await import('./engine-server.ts');
    const made = createEngineServer(deps, at);
    opened = made;
    await made.start();
    return made;
  };
  return {
    start: () => {
      server = socket === undefined ? undefined : open(socket);
    },
    stop: async () => {
      await (await server)?.stop();
    },
    get serving() {
      return opened?.serving;
    },
  };
}
