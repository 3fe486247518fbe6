import { statSync } from 'node:fs';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { isTexts, objectIn } from '../../lib/shape.ts';
import { isWritableBelow } from '../../oci/mounts.ts';
import { isKernelSince } from '../../oci/seccomp.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { runProgram } from '../../system/run-program.ts';
import type { ContainerContext } from '../context.ts';
import { findRuntime } from './host-facts.ts';
import type { RuntimeChoice } from './runtime.ts';

type Context = Pick<ContainerContext, 'clock' | 'log'>;

interface Host {
  readonly runtime: RuntimeChoice;
  /** Where programs are searched for. */
  readonly path: string;
  readonly kernelVersion: string;
}

/**
 * Whether read-only binds of a new container can be read-only with all that is mounted below them: that takes Linux
 * 5.12, and a runtime that names the option `rro` among its features (runc 1.1). False if none of them needs it.
 */
export async function canReadOnlyBelow(
  ctx: Context,
  { binds }: Pick<CreateRequest, 'binds'>,
  { runtime, path, kernelVersion }: Host,
): Promise<boolean> {
  if (!binds.some((bind) => bind.readOnly && !isWritableBelow(bind))) return false;
  if (!isKernelSince(kernelVersion, '5.12') || runtime.shim !== 'io.containerd.runc.v2') return false;
  try {
    return await namesReadOnlyBelow(ctx, runtime.options?.binaryName ?? findRuntime('runc', path));
  } catch (error) {
    if (!(error instanceof HealthctlError)) throw error;
    ctx.log.debug(`the features of the OCI runtime are not known: ${messageOf(error)}`);
    return false;
  }
}

/** By path, and the time of the program's last change. */
const known = new Map<string, boolean>();

async function namesReadOnlyBelow(ctx: Context, file: string): Promise<boolean> {
  const key = `${file} ${statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const { code, stdout } = await runProgram(ctx, { file, args: ['features'] });
  const { mountOptions } = code === 0 ? objectIn(decodeJson(stdout)) : {};
  const isNamed = isTexts(mountOptions) && mountOptions.includes('rro');
  known.set(key, isNamed);
  return isNamed;
}
