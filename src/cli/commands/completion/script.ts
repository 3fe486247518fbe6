import { HealthctlError } from '../../../lib/errors.ts';
import type { Command } from '../../command.ts';
import { SCRIPTS, type Shell } from '../../completion/scripts.ts';

const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** `healthctl completion`: as docker's. */
export const completion: Command = {
  usage: 'bash|zsh|fish',
  description:
    'Print a script with which a shell completes commands, options, their values, and names of containers, images,\nnetworks and volumes. It asks healthctl itself, and stays right when healthctl is upgraded.',
  options: [],
  args: { min: 1, max: 1 },
  complete: [{ words: SHELLS }],
  run: async (_world, { args: [name = ''] }) => ({ stdout: scriptFor(name) }),
};

/** Throws USAGE. */
function scriptFor(name: string): string {
  const shell = SHELLS.find((known) => known === name);
  if (shell) return SCRIPTS[shell];
  throw new HealthctlError('USAGE', `unknown shell: ${name}`, { hint: `shells are ${SHELLS.join(', ')}` });
}
