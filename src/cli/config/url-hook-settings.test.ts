import { expect, test } from 'vitest';
import type { HealthctlError } from '../../lib/errors.ts';
import { parseConfig } from './config.ts';

const hookOf = async (text: string) => {
  const { monitor } = await parseConfig(`[[hook]]\n${text}\n`, '/h.toml');
  return monitor?.hooks?.[0];
};

const DEFAULTS = {
  ...{ on: ['unhealthy', 'healthy', 'restart'], timeoutMs: 10_000, retries: 10, format: 'json', body: undefined },
  ...{ contentType: 'application/json', headers: {}, secretFile: undefined, caFile: undefined, minIntervalMs: 60_000 },
  ...{ labels: {}, priority: 4 },
};

test('a url alone is enough', async () => {
  expect(await hookOf('url = "https://example.org/x"')).toEqual({ ...DEFAULTS, url: 'https://example.org/x' });
});

test('reads every key that a hook with a url can have', async () => {
  const text = [
    ...['url = "http://u:p@[::1]:8080/x?y=z"', 'on = ["healthy"]', 'timeout = "5s"', 'retries = 0', 'format = "json"'],
    ...['body = "{{.name}} is {{.event}}"', 'content_type = "text/plain; charset=utf-8"', 'min_interval = "0s"'],
    ...['headers = { Authorization = "Bearer x" }', 'secret_file = "/etc/s"', 'ca_file = "/etc/ca.pem"'],
  ];
  expect(await hookOf(text.join('\n'))).toEqual({
    ...{ ...DEFAULTS, url: 'http://u:p@[::1]:8080/x?y=z', on: ['healthy'], timeoutMs: 5_000, retries: 0 },
    ...{ body: '{{.name}} is {{.event}}', contentType: 'text/plain; charset=utf-8', minIntervalMs: 0 },
    ...{ headers: { Authorization: 'Bearer x' }, secretFile: '/etc/s', caFile: '/etc/ca.pem' },
  });
});

test('a hook for Alertmanager gets firing and resolved alerts, whatever the defaults are', async () => {
  const text = 'url = "http://localhost:9093"\nformat = "alertmanager"\nlabels = { team = "web" }';
  expect(await hookOf(text)).toMatchObject({ on: ['unhealthy', 'healthy'], labels: { team: 'web' } });
});

const NO_URL = 'hook.url must be a URL that begins with http:// or https://';
const url = 'url = "https://example.org/x"';
test.each([
  ['url = 5', NO_URL],
  ['url = "example.org"', NO_URL],
  ['url = "ftp://user:secret@example.org"', NO_URL],
  ['url = "https://example.org/#part"', NO_URL],
  ['url = "https://u:%zz@example.org/"', 'hook.url: its user or password holds a % that is no escape'],
  [`${url}\ncommand = ["/x"]`, 'hook has both a command and a url'],
  [`command = ["/x"]\nformat = "slack"`, 'unknown key "hook.format"'],
  [`${url}\ninsecure = true`, 'unknown key "hook.insecure"'],
  [`${url}\nformat = "teams"`, 'hook.format must be "json" or "slack" or "ntfy" or "alertmanager", not "teams"'],
  [`${url}\nformat = "slack"\nbody = "x"`, 'hook.body is for format = "json" only, not "slack"'],
  [`${url}\npriority = 5`, 'hook.priority is for format = "ntfy" only, not "json"'],
  [`${url}\nformat = "ntfy"\npriority = 6`, 'hook.priority must be a whole number from 1 to 5, not 6'],
  ['url = "https://ntfy.sh/"\nformat = "ntfy"', 'hook.url must end with the topic, like https://ntfy.sh/mytopic'],
  [`${url}\nformat = "alertmanager"\non = ["unhealthy"]`, 'hook.on is not for format = "alertmanager"'],
  [`${url}\nbody = "{{.name"`, 'hook.body: template: :1: unclosed action'],
  [`${url}\ncontent_type = "text"`, 'hook.content_type must be a media type, like "text/plain", not "text"'],
  [`${url}\nheaders = 3`, 'hook.headers must be a table of strings'],
  [`${url}\nheaders = { A = 3 }`, 'hook.headers.A must be a string'],
  [`${url}\nheaders = { "A B" = "x" }`, 'hook.headers: "A B" is no name of a header'],
  [`${url}\nheaders = { Webhook-Id = "x" }`, 'hook.headers: "Webhook-Id" is set by healthctl'],
  [`${url}\nheaders = { A = "secret\\r\\nB: c" }`, 'hook.headers.A must be printable ASCII on one line'],
  [`${url}\nsecret_file = "s"`, 'hook.secret_file must be an absolute path, not "s"'],
  [`${url}\nmin_interval = "1"`, 'hook.min_interval: time: missing unit in duration "1"'],
  [`${url}\ntimeout = "2m"`, 'hook.timeout must be at most 1m for a url, not "2m"'],
  [`${url}\nretries = 11`, 'hook.retries must be a whole number from 0 to 10, not 11'],
  [`${url}\nformat = "alertmanager"\nlabels = { "a-b" = "x" }`, 'hook.labels: "a-b" is no name of a label'],
  [`${url}\nformat = "alertmanager"\nlabels = { container = "x" }`, 'hook.labels: "container" is set by healthctl'],
])('refuses %s', async (text, message) => {
  const { code, message: found } = (await hookOf(text).catch((error: unknown) => error)) as HealthctlError;
  expect([code, found.replace(/^\/h\.toml:[1-4]: /, '')]).toEqual(['CONFIG', message]);
});
