import { expect, test } from 'vitest';
import type { ContainerContext } from '../container/context.ts';
import type { CallOptions } from '../containerd/transport.ts';
import { withLastCall, withLastSignal } from './last-call.ts';

/** The names of the calls of containerd that get a signal. */
function contextOf() {
  const given: [string, AbortSignal | undefined][] = [];
  const call = (name: string) => async (_: unknown, options?: CallOptions) => void given.push([name, options?.signal]);
  const names = ['find', 'findExec', 'exec', 'start', 'kill', 'deleteExec', 'create', 'delete', 'wait'];
  const tasks = Object.fromEntries(names.map((name) => [name, call(name)]));
  const context = { containerd: { tasks } } as unknown as ContainerContext;
  const cancelled = async ({ containerd }: ContainerContext): Promise<readonly string[]> => {
    given.length = 0;
    const calls = Object.values(containerd.tasks) as ((what: unknown, options?: CallOptions) => Promise<void>)[];
    for (const each of calls) await each({});
    return given.flatMap(([name, signal]) => (signal ? [name] : []));
  };
  return { context, cancelled };
}

const { signal } = new AbortController();

test("an abort cancels a check's calls to the shim, but only the lookups and signals of an action on a container", async () => {
  const { context, cancelled } = contextOf();
  expect(await cancelled(context)).toEqual([]);
  expect(await cancelled(withLastCall(context, signal))).toEqual([
    ...['find', 'findExec', 'exec', 'start', 'kill', 'deleteExec'],
  ]);
  expect(await cancelled(withLastSignal(context, signal))).toEqual(['find', 'kill']);
});
