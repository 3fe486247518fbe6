import { rfc3339FromMillis } from '../../health/result.ts';
import type { AlertDocument, AlertEvent } from './alert-event.ts';
import { detailsOf, headlineOf, outputOf } from './words.ts';

/** How often firing alerts are sent again. */
export const RESEND_MS = 60_000;
/**
 * How long a firing alert holds without another: four times as long, as Prometheus does it. So an alert ends by itself
 * if the monitor does not come back, and Alertmanager's own `resolve_timeout` does not matter.
 */
const HOLDS_MS = 4 * RESEND_MS;
const PATH = '/api/v2/alerts';

/** What an alert of Alertmanager is made of. */
export interface ManagedAlert {
  /** The `unhealthy` that began it: its labels never change, because they identify the alert. */
  readonly firing: AlertEvent;
  /** The last state. */
  readonly document: AlertDocument;
}

/** The URL of the alerts of Alertmanager's API; a URL that is it already stays. */
export function alertsUrlOf(url: string): string {
  const parsed = new URL(url);
  const path = parsed.pathname.replace(/\/+$/, '');
  parsed.pathname = path.endsWith(PATH) ? path : `${path}${PATH}`;
  return parsed.href;
}

/** The body of a POST to `/api/v2/alerts`. @param own labels of the configuration */
export const alertsBodyOf = (
  alerts: readonly ManagedAlert[],
  { own, nowMs }: { readonly own: Readonly<Record<string, string>>; readonly nowMs: number },
): string => JSON.stringify(alerts.map((alert) => alertOf(alert, { own, nowMs })));

function alertOf(
  { firing, document }: ManagedAlert,
  { own, nowMs }: { readonly own: Readonly<Record<string, string>>; readonly nowMs: number },
) {
  const { namespace, id, name, image, time: startsAt } = firing;
  const isFiring = document.event === 'unhealthy';
  const description = [...detailsOf(document), outputOf(document)].filter((text) => text !== '').join('\n');
  return {
    labels: {
      ...{ alertname: 'ContainerUnhealthy', severity: 'critical', ...own },
      ...{ host: document.host, namespace, container: name, container_id: id, image },
    },
    annotations: { summary: headlineOf(document), ...(description === '' ? {} : { description }) },
    startsAt,
    // Alertmanager refuses an end before the start, which a clock that was set back would give.
    endsAt: isFiring ? rfc3339FromMillis(nowMs + HOLDS_MS) : later(startsAt, document.time),
  };
}

const later = (a: string, b: string): string => (Date.parse(b) > Date.parse(a) ? b : a);
