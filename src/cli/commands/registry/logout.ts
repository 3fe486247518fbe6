import { hostOfKey } from '../../../image/registry/docker-config.ts';
import type { Command } from '../../command.ts';
import { ANYTHING } from '../../flags/values.ts';

/** `healthctl logout`: Docker's. */
export const logout: Command = {
  usage: '[SERVER]',
  options: [],
  args: { min: 0, max: 1 },
  complete: [ANYTHING],
  run: async ({ env, signal }, { args: [server = ''] }) => {
    const { eraseLogin } = await import('../../../image/registry/credential-store.ts');
    const domain = server === '' ? 'docker.io' : hostOfKey(server);
    await eraseLogin(env, domain, signal);
    const shown = domain === 'docker.io' ? 'https://index.docker.io/v1/' : domain;
    return { stdout: `Removing login credentials for ${shown}\n` };
  },
};
