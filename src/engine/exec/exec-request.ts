import { parseDetachKeys } from '../../container/console/detach-keys.ts';
import type { TerminalSize } from '../../container/console/terminal.ts';
import type { ExecProgram } from '../../container/exec/exec-process.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { isCount } from '../../lib/shape.ts';
import { EngineError } from '../errors.ts';
import type { GoStruct } from '../go-struct.ts';
import { type ApiVersion, isSince } from '../version.ts';

/** What `POST /containers/{id}/exec` asks for. */
export interface ExecWish {
  readonly program: ExecProgram;
  readonly attach: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly detachKeys: readonly number[];
  /** Whether they were given: only then they are shown. */
  readonly hasDetachKeys: boolean;
  readonly size: TerminalSize | undefined;
}

/** Throws INVALID and EngineError in Docker's words. */
export function execWishFrom(body: GoStruct, version: ApiVersion): ExecWish {
  const args = body.texts('Cmd') ?? [];
  if (args.length === 0) throw new HealthctlError('INVALID', 'No exec command specified');
  const [user, cwd, keys] = [body.text('User'), body.text('WorkingDir'), body.text('DetachKeys')];
  const terminal = body.flag('Tty');
  return {
    program: {
      args,
      env: body.texts('Env') ?? [],
      ...(user === '' ? {} : { user }),
      ...(cwd === '' ? {} : { cwd }),
      privileged: body.flag('Privileged'),
      terminal,
    },
    attach: { stdin: body.flag('AttachStdin'), stdout: body.flag('AttachStdout'), stderr: body.flag('AttachStderr') },
    detachKeys: detachKeysFrom(keys),
    hasDetachKeys: keys !== '',
    size: consoleSizeFrom(body, { version, terminal }),
  };
}

/** Docker answers bad keys with 500 here. */
function detachKeysFrom(text: string): readonly number[] {
  try {
    return parseDetachKeys(text, 'escape');
  } catch (cause) {
    throw new EngineError(500, `Invalid escape keys (${text}) provided`, { cause });
  }
}

/** Rows and columns of a terminal: `"ConsoleSize":[24,80]`, since API 1.42; zeros are none. */
export function consoleSizeFrom(
  body: GoStruct,
  { version, terminal }: { readonly version: ApiVersion; readonly terminal: boolean },
): TerminalSize | undefined {
  const size = body.raw('ConsoleSize');
  if (!terminal || !isSince(version, 42) || !Array.isArray(size)) return undefined;
  const [height, width]: readonly unknown[] = size;
  return isCount(height) && isCount(width) && height + width > 0 ? { height, width } : undefined;
}
