import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseJsonText } from '../../../src/lib/shape.ts';
import type { RunningProgram } from '../../../testbed/program.ts';
import { type Bed, until } from './harness.ts';

/** A monitor that serves Docker's API for a bed. */
export interface EngineBed {
  readonly socket: string;
  readonly monitor: RunningProgram;
  /** Sends a request; the answer's body is not read yet. */
  open(method: string, path: string, body?: unknown): Promise<IncomingMessage>;
  /** Sends a request, and reads the answer: `json` is undefined for one that is no JSON document. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string; json: unknown }>;
}

/**
 * Starts the monitor; it ends with the bed.
 *
 * @param spawn starts healthctl; by default on this host
 */
export async function startEngine(
  bed: Bed,
  options: readonly string[] = [],
  spawn: (args: readonly string[]) => RunningProgram = bed.spawn,
): Promise<EngineBed> {
  const socket = join(bed.directory, 'docker.sock');
  const monitor = spawn(['daemon', 'run', '--docker-socket', socket, ...options]);
  const ended = monitor.exited.then(({ stderr }) => {
    throw new Error(`the monitor ended: ${stderr}`);
  });
  await Promise.race([until(() => monitor.stderr().includes("Docker's Engine API at"), { withinMs: 30_000 }), ended]);
  const open: EngineBed['open'] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const bytes = body === undefined ? undefined : JSON.stringify(body);
      const headers = bytes === undefined ? {} : { 'content-type': 'application/json' };
      request({ socketPath: socket, method, path, headers, agent: false }, resolve).on('error', reject).end(bytes);
    });
  return {
    ...{ socket, monitor, open },
    ask: async (method, path, body) => {
      const answer = await open(method, path, body);
      const said = await text(answer);
      return { status: answer.statusCode ?? 0, text: said, json: parseJsonText(said) };
    },
  };
}
