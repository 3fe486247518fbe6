import { describe, expect, test } from 'vitest';
import { T0 } from '../../../test/builders/health.ts';
import type { UrlHookSettings } from '../../lib/settings.ts';
import type { AlertDocument } from './alert-event.ts';
import { alertsUrlOf } from './alertmanager.ts';
import { payloadBuilderOf } from './payload.ts';

const aHook = (over: Partial<UrlHookSettings>): UrlHookSettings => ({
  ...{ url: 'https://example.org/x', on: ['unhealthy', 'healthy', 'restart'], format: 'json', timeoutMs: 10_000 },
  ...{ retries: 2, body: undefined, contentType: 'text/plain', headers: {}, secretFile: undefined, caFile: undefined },
  ...{ minIntervalMs: 60_000, labels: {}, priority: 5 },
  ...over,
});
const aDocument = (over: Partial<AlertDocument> = {}): AlertDocument => ({
  ...{ event: 'unhealthy', time: '2026-01-01T00:00:00Z', host: 'host1', namespace: 'default', id: 'c1', name: 'web' },
  ...{ image: 'demo', failingStreak: 3, exitCode: 7, output: 'connection refused\n' },
  ...over,
});
const HEALTHY = aDocument({ event: 'healthy', time: '2026-01-01T00:05:00Z', unhealthySince: '2026-01-01T00:00:00Z' });
const GONE = aDocument({ event: 'gone', reason: 'it was removed', damped: 2 });
const RESTART = aDocument({ event: 'restart', reason: 'unhealthy: connection refused' });

async function build(hook: Partial<UrlHookSettings>, document = aDocument(), firing = aDocument()) {
  const { url, contentType, body } = (await payloadBuilderOf(aHook(hook)))([{ document, firing }], T0);
  return { url, contentType, body: JSON.parse(body) as unknown };
}

test('json is the event, or the output of a template', async () => {
  expect((await build({ format: 'json' })).body).toEqual(aDocument());
  const make = await payloadBuilderOf(
    aHook({ body: '{{.name}}: {{.exitCode}} {{json .output}} {{.nothing}}{{json .}}' }),
  );
  const { body, contentType } = make([{ document: aDocument(), firing: undefined }], T0);
  expect(contentType).toBe('text/plain');
  const text = 'web: 7 "connection refused\\n" <no value>{"event":"unhealthy"';
  expect(body.startsWith(text.slice(0, text.indexOf('{')))).toBe(true);
  const long = await payloadBuilderOf(aHook({ body: '{{pad .name 999999 999999}}' }));
  expect(() => long([{ document: aDocument(), firing: undefined }], T0)).toThrow('longer than 1048576 bytes');
});

describe('slack', () => {
  test('a text, and an attachment with the details', async () => {
    const { body, contentType } = await build({ format: 'slack' });
    expect(contentType).toBe('application/json');
    expect(body).toEqual({
      text: 'web on host1 is unhealthy',
      attachments: [
        {
          ...{ color: 'danger', fallback: 'web on host1 is unhealthy', mrkdwn_in: ['text'] },
          text: '3 failures in a row, exit code 7\n```\nconnection refused\n```',
        },
      ],
    });
    const text = async (document: AlertDocument) => (await build({ format: 'slack' }, document)).body;
    expect(await text(HEALTHY)).toMatchObject({
      ...{
        text: 'web on host1 is healthy',
        attachments: [{ color: 'good', text: 'unhealthy since 2026-01-01T00:00:00Z' }],
      },
    });
    expect(await text(GONE)).toMatchObject({
      text: 'web on host1 is gone: it was removed',
      attachments: [{ text: '2 changes in between not sent' }],
    });
    expect(await text(RESTART)).toMatchObject({
      text: 'web on host1 was restarted',
      attachments: [{ text: 'unhealthy: connection refused' }],
    });
  });

  test('shows a name unchanged, unless Slack would format it', async () => {
    const textOf = async (name: string) => (await build({ format: 'slack' }, aDocument({ name }))).body;
    expect(await textOf('my_web-1')).toMatchObject({ text: 'my_web-1 on host1 is unhealthy' });
    expect(await textOf('_my_')).toMatchObject({ text: '\u200b_my\u200b_ on host1 is unhealthy' });
  });

  test('a container cannot notify people, end a code block, or send a long message', async () => {
    const output = `<!channel> @here \`\`\` ${'x'.repeat(5_000)}`;
    const { body } = await build(
      { format: 'slack' },
      aDocument({ name: '<@U1> *@all*', output: `${'y'.repeat(5_000)}${output.slice(0, 40)}` }),
    );
    const text = JSON.stringify(body);
    expect(text).not.toMatch(/<|@(?!\u200b)/);
    expect(text.match(/```/g)).toHaveLength(2);
    expect(text.length).toBeLessThan(2_000);
  });
});

test('ntfy gets title, message, priority and tags', async () => {
  const format = 'ntfy';
  expect(await build({ format, url: 'https://u:p@ntfy.example.org/my-topic?auth=x' })).toEqual({
    url: 'https://u:p@ntfy.example.org/?auth=x',
    contentType: 'application/json',
    body: {
      ...{ topic: 'my-topic', title: 'web on host1 is unhealthy', priority: 5, tags: ['rotating_light'] },
      message: '3 failures in a row, exit code 7\nconnection refused',
    },
  });
  const url = 'https://ntfy.sh/t';
  expect((await build({ format, url }, HEALTHY)).body).toMatchObject({ priority: 3, tags: ['white_check_mark'] });
  expect((await build({ format, url }, { ...HEALTHY, unhealthySince: undefined } as never)).body).toMatchObject({
    message: 'web: healthy',
  });
});

describe('alertmanager', () => {
  const format = 'alertmanager';
  const labels = {
    ...{ alertname: 'ContainerUnhealthy', severity: 'critical', host: 'host1', namespace: 'default' },
    ...{ container: 'web', container_id: 'c1', image: 'demo' },
  };

  test('fires for four minutes', async () => {
    const { url, body } = await build({ format, url: 'http://am:9093/', labels: { severity: 'page', team: 'a' } });
    expect(url).toBe('http://am:9093/api/v2/alerts');
    expect(body).toEqual([
      {
        labels: { ...labels, severity: 'page', team: 'a' },
        annotations: {
          ...{
            summary: 'web on host1 is unhealthy',
            description: '3 failures in a row, exit code 7\nconnection refused',
          },
        },
        ...{ startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-01-01T00:04:00Z' },
      },
    ]);
  });

  test('is resolved with the labels of the firing alert, never before its beginning', async () => {
    const renamed = { ...HEALTHY, name: 'other' };
    expect((await build({ format }, renamed)).body).toMatchObject([
      { labels, startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-01-01T00:05:00Z' },
    ]);
    const early = { ...GONE, time: '2025-12-31T00:00:00Z' };
    expect((await build({ format }, early)).body).toMatchObject([{ labels, endsAt: '2026-01-01T00:00:00Z' }]);
  });

  test.each([
    ['http://am', 'http://am/api/v2/alerts'],
    ['http://am/prefix/', 'http://am/prefix/api/v2/alerts'],
    ['http://am/api/v2/alerts/', 'http://am/api/v2/alerts'],
  ])('%s', (url, expected) => expect(alertsUrlOf(url)).toBe(expected));
});
