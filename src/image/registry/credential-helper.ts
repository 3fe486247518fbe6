import { spawn } from 'node:child_process';
import { errnoOf, HealthctlError } from '../../lib/errors.ts';
import { parseDocument } from '../document.ts';
import type { Credentials } from './credentials.ts';

/** A helper's message for an unknown server (github.com/docker/docker-credential-helpers). */
const NOT_FOUND = 'credentials not found in native keychain';
/** The user name by which a helper marks an identity token. */
const TOKEN_USER = '<token>';
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 << 10;

/**
 * Runs `docker-credential-<helper> get` with the server's name on stdin. Undefined if it has nothing for the server.
 * Throws CONFIG for a helper that is missing or fails; its output is never repeated, because it may contain a secret.
 */
export async function askCredentialHelper(
  ask: {
    readonly helper: string;
    readonly server: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
  signal?: AbortSignal,
): Promise<Credentials | undefined> {
  const { helper, env } = ask;
  const { status, output } = await runHelper({ helper, action: 'get', input: `${ask.server}\n`, env }, signal);
  if (status !== 0) {
    if (output.toString('utf8').trim() === NOT_FOUND) return undefined;
    throw failedWith(helper, status);
  }
  return parseAnswer(helper, output);
}

interface HelperCall {
  readonly helper: string;
  readonly action: 'get' | 'store' | 'erase';
  /** A secret may be in it: it is written to the helper's stdin. */
  readonly input: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Has a helper store or erase credentials. Throws CONFIG if it is missing or fails. */
export async function callCredentialHelper(call: HelperCall, signal?: AbortSignal): Promise<void> {
  const { status, output } = await runHelper(call, signal);
  const isGone = call.action === 'erase' && output.toString('utf8').trim() === NOT_FOUND;
  if (status !== 0 && !isGone) throw failedWith(call.helper, status);
}

const failedWith = (helper: string, status: number | null) =>
  failed(helper, status === null ? 'was killed or took too long' : `failed with status ${status}`);

function parseAnswer(helper: string, output: Buffer): Credentials | undefined {
  try {
    const document = parseDocument('its answer', output);
    const [username, secret] = [document.string('Username') ?? '', document.string('Secret') ?? ''];
    if (secret === '') return undefined;
    return username === TOKEN_USER
      ? { kind: 'identity-token', token: secret }
      : { kind: 'password', username, password: secret };
  } catch {
    throw failed(helper, 'gave an answer that is not understood');
  }
}

async function runHelper(
  { helper, action, input, env }: HelperCall,
  signal?: AbortSignal,
): Promise<{ status: number | null; output: Buffer }> {
  if (!/^[\w.-]+$/.test(helper)) throw failed(helper, 'has an invalid name');
  const limit = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]);
  return new Promise((resolve, reject) => {
    // In its own process group, so that the children of a helper script end with it.
    const child = spawn(`docker-credential-${helper}`, [action], {
      env: { ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    const end = () => {
      killGroup(child.pid);
      child.stdout.destroy();
    };
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES) end();
      else chunks.push(chunk);
    });
    child.stdin.on('error', () => undefined); // a helper that does not read its input reports that by its status
    limit.addEventListener('abort', end, { once: true });
    child.on('error', (cause) => {
      reject(failed(helper, errnoOf(cause) === 'ENOENT' ? 'is not in PATH' : 'could not be run', cause));
    });
    child.on('close', (status) => {
      limit.removeEventListener('abort', end);
      if (signal?.aborted) reject(new HealthctlError('ABORTED', 'asking for credentials was cancelled'));
      else resolve({ status, output: Buffer.concat(chunks) });
    });
    child.stdin.end(input);
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}

const failed = (helper: string, why: string, cause?: unknown) =>
  new HealthctlError('CONFIG', `credential helper docker-credential-${helper.replace(/[^\w.-]/g, '?')} ${why}`, {
    cause,
    hint: "it is named in Docker's config.json (credsStore, credHelpers)",
  });
