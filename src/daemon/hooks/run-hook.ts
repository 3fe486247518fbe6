import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { randomHex } from '../../lib/random.ts';
import { killMarked } from '../../system/kill-marked.ts';
import { atPlainPriority } from '../../system/priority.ts';
import { NODE_ENVIRONMENT } from '../node-process.ts';
import type { RunHook } from './hooks.ts';

/** The part of its stderr to log. */
const MAX_COMPLAINT_LENGTH = 300;
/** Identifies a hook's processes among all processes of the host. */
const MARK_VARIABLE = 'HEALTHCTL_HOOK_RUN';
/** How long to wait for the death of a killed process. */
const DEATH_LIMIT_MS = 2_000;

/**
 * Runs hooks as processes in their own session. After its timeout a hook is killed with all its descendants, also
 * daemons that left the session: an inherited variable identifies them. Their stdout is not read. They have our
 * environment without NODE_ENVIRONMENT, the event as variables, and as JSON on stdin.
 */
export function createHookRunner(clock: Clock): RunHook {
  return async (hook, event, signal) => {
    const [file = '', ...args] = hook.command;
    const mark = randomHex(16);
    const env = {
      ...withoutOurs(process.env),
      [MARK_VARIABLE]: mark,
      HEALTHCTL_EVENT: event.event,
      HEALTHCTL_NAMESPACE: event.namespace,
      HEALTHCTL_CONTAINER_ID: event.id,
      // A name is a label, which may contain anything; a variable cannot contain this character.
      HEALTHCTL_CONTAINER_NAME: event.name.replaceAll('\0', '\ufffd'),
    };
    const child = atPlainPriority(() =>
      spawn(file, args, { env, cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'pipe'] }),
    );
    child.stdin.on('error', () => undefined); // it need not read
    child.stdin.end(`${JSON.stringify(event)}\n`);
    let complaint = '';
    child.stderr.on('data', (bytes: Buffer) => {
      if (complaint.length < MAX_COMPLAINT_LENGTH) complaint += bytes.toString('utf8');
    });
    const ended = endOf(child);
    const settled = new AbortController();
    const given = AbortSignal.any([signal, settled.signal]);
    try {
      const end = await Promise.race([ended, clock.sleep(hook.timeoutMs, given).then(() => 'late' as const)]);
      if (end === 'late') {
        if (child.pid !== undefined) await killMarked(child.pid, `${MARK_VARIABLE}=${mark}`, { clock });
        await Promise.race([ended, clock.sleep(DEATH_LIMIT_MS)]);
        throw new HealthctlError(
          'TIMEOUT',
          signal.aborted ? 'ended' : `it took longer than ${hook.timeoutMs / 1_000} s`,
        );
      }
      if (end !== 'status 0') {
        const last = complaint.trimEnd().split('\n').at(-1)?.slice(0, MAX_COMPLAINT_LENGTH) ?? '';
        throw new HealthctlError('INTERNAL', last === '' ? `it ended with ${end}` : `it ended with ${end}: ${last}`);
      }
    } finally {
      settled.abort();
      child.stderr.destroy();
    }
  };
}

/** A different value, set for the monitor by its administrator, is meant for hooks as well. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => NODE_ENVIRONMENT[name] !== value));
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new HealthctlError('INTERNAL', messageOf(error), { cause: error })));
    child.once('exit', (code, signal) => resolve(code === null ? `signal ${signal}` : `status ${code}`));
  });
}
