import type { Clock } from '../../lib/clock.ts';
import { fileReasonOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { randomHex } from '../../lib/random.ts';
import type { UrlHookSettings } from '../../lib/settings.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import type { AlertEntry } from './alert-entry.ts';
import type { AlertEvent } from './alert-event.ts';
import { documentOf } from './document.ts';
import { type BuildPayload, type Payload, payloadBuilderOf } from './payload.ts';
import type { Post } from './post.ts';
import { redact, secretsOf } from './redact.ts';
import type { PostOutcome } from './retry.ts';

/** An event, and what is known of its container. */
export interface SentAlert {
  readonly event: AlertEvent;
  readonly entry: Pick<AlertEntry, 'firing' | 'damped'>;
}
type SentAlerts = readonly [SentAlert, ...SentAlert[]];

/**
 * Sends some events once, in one request; more than one only to Alertmanager. Never rejects: a failure on our side is
 * an outcome too.
 */
export type DeliverAlerts = (sent: SentAlerts, signal: AbortSignal) => Promise<PostOutcome>;

export interface DelivererDeps {
  readonly hook: UrlHookSettings;
  readonly post: Post;
  readonly clock: Pick<Clock, 'now'>;
  /** Completes an event of a state that was found. Never rejects. */
  readonly withResult: (event: AlertEvent) => Promise<AlertEvent>;
  /** The name of this machine. */
  readonly host: string;
}

export function createDeliverer({ hook, post, clock, withResult, host }: DelivererDeps): DeliverAlerts {
  const secrets = secretsOf(hook);
  const idOf = createIds();
  let builder: Promise<BuildPayload> | undefined;
  const send = async (sent: SentAlerts, signal: AbortSignal): Promise<PostOutcome> => {
    builder ??= payloadBuilderOf(hook);
    const build = await builder;
    const nowMs = clock.now();
    const alertOf = async ({ event, entry }: SentAlert) => ({
      ...{ document: documentOf(await withResult(event), entry, host), firing: entry.firing },
    });
    const [first, ...others] = sent;
    const payload = build([await alertOf(first), ...(await Promise.all(others.map(alertOf)))], nowMs);
    const headers = await headersOf(hook, payload, { id: idOf(first.event), nowMs });
    const ca = hook.caFile === undefined ? undefined : readText('ca_file', hook.caFile);
    return post({ url: new URL(payload.url), body: payload.body, headers, ca, timeoutMs: hook.timeoutMs }, signal);
  };
  return async (sent, signal) => {
    const outcome = await send(sent, signal).catch(
      (error: unknown): PostOutcome => ({ kind: 'failed', isReached: false, reason: messageOf(error) }),
    );
    return outcome.kind === 'answered' ? { ...outcome, text: redact(outcome.text, secrets) } : outcome;
  };
}

async function headersOf(
  { headers, secretFile }: UrlHookSettings,
  { body, contentType }: Payload,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Promise<Readonly<Record<string, string>>> {
  const common = { 'User-Agent': 'healthctl', ...headers, 'Content-Type': contentType };
  if (secretFile === undefined) return { ...common, 'webhook-id': id };
  const { keyFromSecret, signatureHeaders } = await import('./signature.ts');
  const secret = readText('secret_file', secretFile);
  try {
    return { ...common, ...signatureHeaders(keyFromSecret(secret), { id, body, nowMs }) };
  } catch (cause) {
    throw new HealthctlError('CONFIG', `secret_file ${secretFile}: ${messageOf(cause)}`, { cause });
  }
}

/** Read at each delivery, so that a new key or certificate is used at once. */
function readText(key: string, path: string): string {
  try {
    return readPlainFile(path).toString('utf8');
  } catch (cause) {
    throw new HealthctlError('CONFIG', `${key} ${path}: ${fileReasonOf(cause)}`, { cause });
  }
}

/** The id that all tries of an event share. */
function createIds(): (event: AlertEvent) => string {
  const ids = new WeakMap<AlertEvent, string>();
  return (event) => {
    const id = ids.get(event) ?? `msg_${randomHex(12)}`;
    ids.set(event, id);
    return id;
  };
}
