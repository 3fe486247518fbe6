import type { PageServer, PageServerDeps } from './page-server.ts';

/** Starts the server of the web page where one is configured. */
export interface PageStarter {
  start(): void;
  stop(): Promise<void>;
}

export function createPageStarter(deps: PageServerDeps): PageStarter {
  const { listen } = deps.settings.monitor.page;
  let server: Promise<PageServer> | undefined;
  /** Loaded only where it is configured. */
  const open = async (at: NonNullable<typeof listen>): Promise<PageServer> => {
    const { createPageServer } = await import('./page-server.ts');
    const made = createPageServer(deps, at);
    await made.start();
    return made;
  };
  return {
    start: () => {
      server = listen && open(listen);
    },
    stop: async () => {
      await (await server)?.stop();
    },
  };
}
