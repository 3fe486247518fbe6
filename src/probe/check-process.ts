import { HealthctlError } from '../lib/errors.ts';
import { decodeJson, encodeJson } from '../lib/json.ts';
import type { ProbeTarget } from './prober.ts';

/**
 * The container's own process with other arguments and without a terminal, as JSON. Throws CORRUPT for a container
 * without a runtime spec.
 */
export function checkProcessJson(
  { containerId, processJson }: Pick<ProbeTarget, 'containerId' | 'processJson'>,
  args: readonly string[],
): string {
  const process = processJson === undefined ? undefined : decodeJson(processJson);
  if (typeof process !== 'object' || process === null)
    throw new HealthctlError('CORRUPT', `container ${containerId} has no runtime spec`);
  return encodeJson({ ...process, ...withoutTerminal(process), args });
}

/**
 * A check has no terminal, even if the container has one. So it does not get the variable that was set because of the
 * terminal (Docker: daemon/container CreateDaemonEnvironment, which sets it only for a process with a terminal).
 */
function withoutTerminal(process: object): object {
  const { terminal, env } = process as { readonly terminal?: unknown; readonly env?: unknown };
  const hadTerminal = terminal === true && Array.isArray(env);
  return {
    terminal: false,
    consoleSize: undefined,
    ...(hadTerminal ? { env: env.filter((variable) => variable !== 'TERM=xterm') } : {}),
  };
}
