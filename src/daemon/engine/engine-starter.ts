import type { EngineServer, EngineServerDeps } from './engine-server.ts';

/** Starts the server of Docker's API where one is configured. */
export interface EngineStarter {
  start(): void;
  stop(): Promise<void>;
}

export function createEngineStarter(deps: EngineServerDeps): EngineStarter {
  const { dockerSocket: socket } = deps.settings.monitor;
  let server: Promise<EngineServer> | undefined;
  /** Loaded only where it is configured. */
  const open = async (at: string): Promise<EngineServer> => {
    const { createEngineServer } = await import('./engine-server.ts');
    const made = createEngineServer(deps, at);
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
  };
}
