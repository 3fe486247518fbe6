import { HealthctlError } from '../../lib/errors.ts';
import type { UrlHookSettings } from '../../lib/settings.ts';
import type { AlertDocument, AlertEvent } from './alert-event.ts';
import { alertsBodyOf, alertsUrlOf } from './alertmanager.ts';
import { ntfyMessageOf } from './ntfy.ts';
import { slackBodyOf } from './slack.ts';

/** What is posted, and where to. */
export interface Payload {
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
}

/** An event to post. */
interface Alert {
  readonly document: AlertDocument;
  /** The `unhealthy` that it is or ends. */
  readonly firing: AlertEvent | undefined;
}

/**
 * Builds the request about some events; more than one only for Alertmanager. Throws INVALID if the body's template
 * fails.
 */
export type BuildPayload = (alerts: readonly [Alert, ...Alert[]], nowMs: number) => Payload;

/** Longest body: an event is shorter, and only a template can make it that long. */
const MAX_BODY_BYTES = 1 << 20;
const JSON_TYPE = 'application/json';

export async function payloadBuilderOf(hook: UrlHookSettings): Promise<BuildPayload> {
  const { url, format, labels: own, priority } = hook;
  switch (format) {
    case 'json': {
      const bodyOf = await bodyBuilderOf(hook);
      return ([{ document }]) => ({ url, contentType: hook.contentType, body: bodyOf(document) });
    }
    case 'slack':
      return ([{ document }]) => ({ url, contentType: JSON_TYPE, body: slackBodyOf(document) });
    case 'ntfy':
      return ([{ document }]) => ({ contentType: JSON_TYPE, ...ntfyMessageOf(document, { url, priority }) });
    case 'alertmanager': {
      const alertsUrl = alertsUrlOf(url);
      return (alerts, nowMs) => {
        const managed = alerts.map(({ document, firing = document }) => ({ document, firing }));
        return { url: alertsUrl, contentType: JSON_TYPE, body: alertsBodyOf(managed, { own, nowMs }) };
      };
    }
  }
}

async function bodyBuilderOf({ body }: UrlHookSettings): Promise<(document: AlertDocument) => string> {
  if (body === undefined) return (document) => JSON.stringify(document);
  const { parseTemplate } = await import('../../go/template/template.ts');
  const template = parseTemplate(body);
  return (document) => {
    const text = template.execute({ ...document });
    if (Buffer.byteLength(text) > MAX_BODY_BYTES)
      throw new HealthctlError('INVALID', `the body is longer than ${MAX_BODY_BYTES} bytes`);
    return text;
  };
}
