import type { AlertDocument, AlertName } from './alert-event.ts';
import { detailsOf, headlineOf, outputOf } from './words.ts';

/** Names of emojis, which ntfy puts before the title. */
const TAGS: Readonly<Record<AlertName, string>> = {
  ...{ unhealthy: 'rotating_light', healthy: 'white_check_mark', restart: 'arrows_counterclockwise', gone: 'wave' },
};
/** ntfy's default. */
const CALM = 3;

/**
 * ntfy's JSON form, which is posted to the root of the server: unlike its headers, JSON can have any character.
 *
 * @param url of the topic
 * @param priority of `unhealthy`
 */
export function ntfyMessageOf(
  document: AlertDocument,
  { url, priority }: { readonly url: string; readonly priority: number },
): { readonly url: string; readonly body: string } {
  const { event, name } = document;
  const root = new URL(url);
  const parts = root.pathname.split('/');
  const topic = parts.at(-1) ?? '';
  root.pathname = [...parts.slice(0, -1), ''].join('/');
  const output = outputOf(document);
  const message = [...detailsOf(document), ...(output === '' ? [] : [output])].join('\n');
  const body = {
    ...{ topic, title: headlineOf(document), message: message === '' ? `${name}: ${event}` : message },
    ...{ priority: event === 'unhealthy' ? priority : CALM, tags: [TAGS[event]] },
  };
  return { url: root.href, body: JSON.stringify(body) };
}
