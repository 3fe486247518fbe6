import type { ContainerContext } from '../../container/context.ts';
import type { WaitCondition } from '../../container/wait/wait-condition.ts';
import { waitContainer } from '../../container/wait/wait-exit.ts';
import { waitFor, watchFor } from '../../container/wait/wait-for.ts';
import { quote } from '../../go/quote.ts';
import { messageOf } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { EngineError } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';
import { foundView } from './found.ts';

/** `/containers/{id}/wait`. */
export function waitRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [{ method: 'POST', path: '/containers/{id}/wait', handle: (call) => waitForContainer(ctx, call) }];
}

/**
 * The head is sent when the wait has begun: `docker run` starts the container only then. Before API 1.30 there were no
 * conditions, and the head came with the result.
 */
async function waitForContainer(ctx: ContainerContext, call: Call): Promise<Answer | undefined> {
  if (!isSince(call.version, 30)) return json(await resultOf(await beginWaitForEnd(ctx, call)));
  const condition = conditionFrom(call.query.text('condition'));
  const wait = await (condition === 'not-running' ? beginWaitForEnd(ctx, call) : beginWatching(ctx, call, condition));
  const answer = call.stream({ contentType: 'application/json' });
  await answer.write(`${encodeJson(await resultOf(wait))}\n`);
  return undefined;
}

const CONDITIONS = ['not-running', 'next-exit', 'removed'] as const satisfies readonly WaitCondition[];

function conditionFrom(text: string): (typeof CONDITIONS)[number] {
  const condition = text === '' ? 'not-running' : CONDITIONS.find((known) => known === text);
  if (condition === undefined) throw new EngineError(400, `invalid condition: ${quote(text)}`);
  return condition;
}

/** A wait that has begun. */
type Wait = () => Promise<WaitResult>;

interface WaitResult {
  readonly Error?: { readonly Message: string };
  readonly StatusCode: number;
}

/** The result of a container whose start failed has the code and the error of that. */
async function beginWaitForEnd(ctx: ContainerContext, call: Call): Promise<Wait> {
  const view = await foundView({ ctx }, call);
  const { state, startFailure } = view;
  if (startFailure && (state === 'created' || state === 'exited'))
    return async () => ({ Error: { Message: startFailure.error }, StatusCode: startFailure.code });
  return async () => ({ StatusCode: await waitContainer(ctx, view, call.signal) });
}

/** Events are followed before the container is looked up: its removal right after that is not missed. */
async function beginWatching(ctx: ContainerContext, call: Call, condition: WaitCondition): Promise<Wait> {
  const { signal } = call;
  const watch = await watchFor(ctx, signal);
  try {
    const view = await foundView({ ctx }, call);
    const options = { signal, watch, isViewCurrent: true };
    return async () => ({ StatusCode: (await waitFor(ctx, view, [condition], options)).exitCode ?? 0 });
  } catch (error) {
    watch.stop();
    throw error;
  }
}

async function resultOf(wait: Wait): Promise<WaitResult> {
  try {
    return await wait();
  } catch (error) {
    return { Error: { Message: messageOf(error) }, StatusCode: -1 };
  }
}
