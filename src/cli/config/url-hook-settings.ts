import { parseTemplate } from '../../go/template/template.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { ALERT_FORMATS, type AlertFormat, type UrlHookSettings } from '../../lib/settings.ts';
import { isObject } from '../../lib/shape.ts';
import type { ConfigTable } from './config-table.ts';
import { checkDuration, checkNumber, checkPath, checkText, wordOf, wrongType } from './config-values.ts';
import { checkCommon, refuseKeysOfOthers } from './hook-common.ts';

/** Some 13 minutes of trying, with growing delays. */
const DEFAULT_RETRIES = 10;
const DEFAULT_MIN_INTERVAL_MS = 60_000;
const LONGEST_TIMEOUT_MS = 60_000;
const DEFAULT_PRIORITY = 4;
const JSON_TYPE = 'application/json';
const KEYS = [
  ...['url', 'format', 'body', 'content_type', 'headers', 'secret_file', 'ca_file', 'min_interval', 'labels'],
  'priority',
];
/** Keys that one format alone has. */
const KEYS_OF: readonly (readonly [key: string, format: AlertFormat])[] = [
  ['body', 'json'],
  ['content_type', 'json'],
  ['labels', 'alertmanager'],
  ['priority', 'ntfy'],
];
/** Headers that healthctl sets. */
const OWN_HEADERS = [
  ...['host', 'content-length', 'content-type', 'transfer-encoding', 'connection'],
  ...['webhook-id', 'webhook-timestamp', 'webhook-signature'],
];
/** RFC 9110: a token; and what Node.js sends as it is. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
/** Prometheus' rule for names of labels. */
const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Labels that identify the container. */
const OWN_LABELS = ['host', 'namespace', 'container', 'container_id', 'image'];
/** ntfy's rule for topics. */
const TOPIC = /\/[-_A-Za-z0-9]{1,64}$/;

/** Reads a hook that has a `url`. Throws CONFIG; no message repeats the URL or a header, which may contain secrets. */
export function checkUrlHook(hook: ConfigTable): UrlHookSettings {
  const { at, key, table, given } = hook;
  refuseKeysOfOthers(hook, KEYS);
  const common = checkCommon(hook, { retries: DEFAULT_RETRIES });
  if (common.timeoutMs > LONGEST_TIMEOUT_MS)
    throw wrongType(at('timeout'), `${key}.timeout`, 'at most 1m for a url', table.timeout);
  const format = given('format', wordOf(...ALERT_FORMATS)) ?? 'json';
  refuseKeysOfFormats(hook, format);
  return {
    ...common,
    on: format === 'alertmanager' ? ['unhealthy', 'healthy'] : common.on,
    ...{ url: checkUrl(hook, format), format },
    body: given('body', checkBody),
    contentType: given('content_type', checkType) ?? JSON_TYPE,
    headers: given('headers', checkHeaders) ?? {},
    secretFile: given('secret_file', checkPath),
    caFile: given('ca_file', checkPath),
    minIntervalMs: given('min_interval', checkMinInterval) ?? DEFAULT_MIN_INTERVAL_MS,
    labels: given('labels', checkLabels) ?? {},
    priority: given('priority', (at, name, value) => checkNumber(at, name, value, 5)) ?? DEFAULT_PRIORITY,
  };
}

function checkMinInterval(location: string, key: string, value: unknown): number {
  return value === '0s' ? 0 : checkDuration(location, key, value);
}

function refuseKeysOfFormats({ at, key, table }: ConfigTable, format: AlertFormat): void {
  for (const [name, owner] of KEYS_OF)
    if (table[name] !== undefined && format !== owner)
      throw new HealthctlError(
        'CONFIG',
        `${at(name)}: ${key}.${name} is for format = "${owner}" only, not "${format}"`,
      );
  if (format === 'alertmanager' && table.on !== undefined)
    throw new HealthctlError('CONFIG', `${at('on')}: ${key}.on is not for format = "alertmanager"`, {
      hint: 'an alert fires while the container is unhealthy, and is resolved afterwards',
    });
}

function checkUrl({ at, key, table }: ConfigTable, format: AlertFormat): string {
  const { url } = table;
  const location = at('url');
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') || parsed.hash !== '')
    throw new HealthctlError('CONFIG', `${location}: ${key}.url must be a URL that begins with http:// or https://`);
  if (!hasReadableLogin(parsed))
    throw new HealthctlError('CONFIG', `${location}: ${key}.url: its user or password holds a % that is no escape`);
  if (format === 'ntfy' && !TOPIC.test(parsed.pathname))
    throw new HealthctlError('CONFIG', `${location}: ${key}.url must end with the topic, like https://ntfy.sh/mytopic`);
  return parsed.href;
}

function hasReadableLogin({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== undefined;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

function checkBody(location: string, key: string, value: unknown): string {
  const text = checkText(location, key, value);
  try {
    parseTemplate(text);
  } catch (cause) {
    throw new HealthctlError('CONFIG', `${location}: ${key}: ${messageOf(cause)}`, { cause });
  }
  return text;
}

function checkType(location: string, key: string, value: unknown): string {
  const text = checkText(location, key, value);
  if (!/^[a-z]+\/[^\s;]+/i.test(text) || !HEADER_VALUE.test(text))
    throw wrongType(location, key, 'a media type, like "text/plain"', value);
  return text;
}

function checkHeaders(location: string, key: string, value: unknown): Readonly<Record<string, string>> {
  return checkTexts(location, key, value, (name, text) => {
    const own = OWN_HEADERS.includes(name.toLowerCase());
    if (own || !HEADER_NAME.test(name)) {
      const reason = own ? 'is set by healthctl' : 'is no name of a header';
      const hint =
        name.toLowerCase() === 'content-type' ? { hint: `use ${key.replace(/headers$/, 'content_type')}` } : {};
      throw new HealthctlError('CONFIG', `${location}: ${key}: ${JSON.stringify(name)} ${reason}`, hint);
    }
    if (!HEADER_VALUE.test(text))
      throw new HealthctlError('CONFIG', `${location}: ${key}.${name} must be printable ASCII on one line`);
  });
}

function checkLabels(location: string, key: string, value: unknown): Readonly<Record<string, string>> {
  return checkTexts(location, key, value, (name) => {
    const own = OWN_LABELS.includes(name);
    if (own || !LABEL_NAME.test(name)) {
      const reason = own ? 'is set by healthctl' : 'is no name of a label';
      throw new HealthctlError('CONFIG', `${location}: ${key}: ${JSON.stringify(name)} ${reason}`);
    }
  });
}

/** A table of strings. Values are not repeated in messages. */
function checkTexts(
  location: string,
  key: string,
  value: unknown,
  check: (name: string, text: string) => void,
): Readonly<Record<string, string>> {
  if (!isObject(value)) throw new HealthctlError('CONFIG', `${location}: ${key} must be a table of strings`);
  const texts = Object.entries(value).map(([name, text]) => {
    if (typeof text !== 'string') throw new HealthctlError('CONFIG', `${location}: ${key}.${name} must be a string`);
    check(name, text);
    return [name, text] as const;
  });
  return Object.fromEntries(texts);
}
