import type { AlertDocument, AlertName } from './alert-event.ts';
import { detailsOf, headlineOf, outputOf } from './words.ts';

/** Slack's names of colours; Mattermost and Discord know them too. */
const COLOURS: Readonly<Record<AlertName, string>> = {
  ...{ unhealthy: 'danger', healthy: 'good', restart: 'warning', gone: '#808080' },
};

/**
 * A message for an incoming webhook in Slack's form, as Mattermost and Discord (`…/slack`) accept it: a text, and an
 * attachment with the details.
 */
export function slackBodyOf(document: AlertDocument): string {
  const headline = plain(headlineOf(document));
  const output = outputOf(document);
  const details = [...detailsOf(document).map(plain), ...(output === '' ? [] : [`\`\`\`\n${codeOf(output)}\n\`\`\``])];
  const text = details.join('\n');
  const attachment = { color: COLOURS[document.event], fallback: headline, text, mrkdwn_in: ['text'] };
  return JSON.stringify({ text: headline, ...(text === '' ? {} : { attachments: [attachment] }) });
}

/**
 * Text that notifies nobody and formats nothing: Slack wants `&`, `<` and `>` escaped; the others take `@here` in any
 * text. Names and outputs come from containers.
 */
const plain = (text: string): string =>
  quiet(text).replace(/[*~`]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, (mark) => `\u200b${mark}`);

const codeOf = (text: string): string => quiet(text).replaceAll('```', "'''");

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const quiet = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ENTITIES[character] ?? '').replaceAll('@', '@\u200b');
