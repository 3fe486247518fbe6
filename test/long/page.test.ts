import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { historyDirOf } from '../../src/history/files.ts';
import { chromiumPath, openBrowser } from '../../testbed/browser.ts';
import { freePort } from '../../testbed/free-port.ts';
import { expectWithin } from '../../testbed/judged.ts';
import { writePast } from '../../testbed/past-week.ts';
import type { RunningProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';

// The web page in a real Chromium (Debian: chromium), with a real monitor.

const hasBrowser = chromiumPath() !== undefined;
if (!hasBrowser) console.log('skipped: Chromium is not installed (apt-get install chromium)');

const HOSTILE = '<img src=x onerror="window.wasRun=1"><script>window.wasRun=1</script>';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [MINUTE, DAY] = [60_000, 86_400_000];

let bed: Bed;
let browser: Browser;
let monitor: RunningProgram;
let url: string;
let image: string;
let sick: string;
let hostileId: string;

beforeAll(async () => {
  if (!hasBrowser) return;
  browser = await openBrowser({ 'rebound.example': '127.0.0.1' });
  const port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  bed = await openBed(['autostart = false']);
  image = await bed.image();
  const run = (name: string, ...options: string[]) =>
    bed.ok([
      'run',
      '-d',
      '--name',
      name,
      '--health-interval',
      '500ms',
      '--health-retries',
      '2',
      ...options,
      image,
      'sleep',
      '6000',
    ]);
  sick = await run('sick', '--health-cmd', 'test ! -e /dev/shm/broken || { echo it broke; exit 4; }');
  hostileId = await run(
    'hostile',
    '--health-cmd',
    `echo '${HOSTILE}'; exit 1`,
    '--label',
    `com.example.team=${HOSTILE}`,
  );
  await bed.ctr('containers', 'label', hostileId, `nerdctl/name=${HOSTILE}`);
  await bed.ok(['run', '-d', '--name', 'quiet', image, 'sleep', '6000']);
  await writePast(
    historyDirOf(bed),
    [
      {
        ...{ key: `${bed.namespace}/${sick}`, name: 'sick', image: 'demo:1' },
        phases: [
          { agoMs: 2 * DAY, phase: 'healthy' },
          { agoMs: 50 * MINUTE, phase: 'unhealthy', reason: HOSTILE, exitCode: 9 },
          { agoMs: 30 * MINUTE, phase: 'healthy' },
        ],
      },
      {
        ...{ key: `${bed.namespace}/old`, name: HOSTILE, image: HOSTILE },
        phases: [
          { agoMs: 2 * DAY, phase: 'unhealthy', reason: HOSTILE },
          { agoMs: MINUTE, phase: 'gone' },
        ],
      },
    ],
    { untilMs: Date.now(), lengthMs: 2 * DAY, everyMs: 10_000 },
  );
  monitor = bed.spawn(['daemon', 'run', '--page', `127.0.0.1:${port}`]);
  await until(async () => (await fetch(url).catch(() => undefined))?.ok, { withinMs: 60_000 });
});
afterAll(async () => {
  if (!hasBrowser) return;
  await browser.close();
  monitor.kill('SIGTERM');
  expect((await monitor.exited).code).toBe(0);
  await bed[Symbol.asyncDispose]();
});

interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** Errors in the browser's console, and dialogs. */
  readonly complaints: readonly string[];
}

async function open(hash: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`${error}`));
  page.on('dialog', (dialog) => complaints.push(`dialog ${dialog.message()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asked ${request.url()}`);
  });
  await page.goto(`${url}${hash}`);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

const containerHash = (id: string, range = '90m'): string =>
  `#/container/${encodeURIComponent(`${bed.namespace}/${id}`)}?range=${range}`;

async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

describe.skipIf(!hasBrowser)('the page', () => {
  test('shows text of containers as text', async () => {
    await using opened = await open('#/containers?range=7d');
    const { page, complaints } = opened;
    await page.getByRole('link', { name: HOSTILE }).first().waitFor();
    await page.getByText('removed ones too').click();
    await page.getByText(HOSTILE).nth(2).waitFor();
    await page.goto(`${url}${containerHash(hostileId)}`);
    await page.getByRole('heading', { name: HOSTILE }).waitFor();
    await page.locator('.log pre').first().waitFor();
    await page.goto(`${url}${containerHash(sick, '24h')}`);
    await page.locator('.timeline .cause').filter({ hasText: HOSTILE }).first().waitFor();
    await page.locator('.plot canvas').waitFor();
    expect(await page.evaluate(() => 'wasRun' in globalThis)).toBe(false);
    expect(await page.locator('img, iframe, object, main script').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('shows a change without a reload, with its cause and the origin of each field', async () => {
    await using opened = await open('');
    const { page, complaints } = opened;
    const row = page.locator('.row').filter({ hasText: 'sick' });
    await row.getByText('healthy', { exact: true }).waitFor();
    await bed.ok(['exec', 'sick', 'touch', '/dev/shm/broken']);
    await row.getByText('unhealthy', { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByText('it broke').first().waitFor({ timeout: 60_000 });
    await row.getByRole('link').click();
    await page.getByText('failed (4)').first().waitFor({ timeout: 60_000 });
    const interval = page.getByRole('row').filter({ hasText: 'Interval' }).first();
    expect(await interval.textContent()).toBe('Interval500msa flag');
    await bed.ok(['exec', 'sick', 'rm', '/dev/shm/broken']);
    await page.locator('.status').getByText('healthy', { exact: true }).waitFor({ timeout: 60_000 });
    expect(complaints).toEqual([]);
  });

  test('shows answers that are slower than the results', async () => {
    await using opened = await open('#/host');
    const { page } = opened;
    await page.route('**/log?*', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await route.continue().catch(() => {}); // it was aborted
    });
    await page.goto(`${url}${containerHash(sick)}`);
    await page.locator('.log li').first().waitFor({ timeout: 20_000 });
  });

  test('asks for older lines once, and drops them if other lines are wanted meanwhile', async () => {
    await using opened = await open('#/host');
    const { page, complaints } = opened;
    const asked: string[] = [];
    await page.route('**/log?before=*', async (route) => {
      asked.push(route.request().url());
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await route.continue().catch(() => {}); // it was aborted
    });
    await page.goto(`${url}${containerHash(sick)}`);
    await page.getByRole('button', { name: 'Older' }).dblclick();
    await page.locator('.log li').nth(150).waitFor({ timeout: 20_000 });
    expect(asked).toHaveLength(1);
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByLabel('failed checks and changes only').check();
    await page.locator('.log').getByText('passed').first().waitFor({ state: 'detached', timeout: 20_000 });
    await page.locator('.log li').first().waitFor();
    await page.waitForTimeout(4_000); // the answer would have come
    expect(await page.locator('.log').getByText('passed').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('shows the check, with likely reasons, before the log, for the keyboard too', async () => {
    await using opened = await open(containerHash(hostileId));
    const { page } = opened;
    await page.locator('.advice li').first().waitFor({ timeout: 20_000 });
    await page.locator('.log li').first().waitFor({ timeout: 20_000 });
    await page.locator('.plot canvas').waitFor();
    expect(await page.getByRole('heading', { level: 3 }).allTextContents()).toEqual([
      'Results of 90 minutes',
      ...['Durations', 'Incidents', 'Check', 'Log'],
    ]);
  });

  test('says that the plot cannot be drawn', async () => {
    await using opened = await open('#/host');
    const { page, complaints } = opened;
    await page.route('**/plot-*.js', (route) => route.abort());
    await page.goto(`${url}${containerHash(sick)}`);
    await page.getByText('The plot could not be loaded.').waitFor({ timeout: 20_000 });
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  });

  test('can be used with the keyboard', async () => {
    await using opened = await open('');
    const { page } = opened;
    await page.locator('.row').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('sick');
    await until(async () => (await page.locator('.row').count()) === 1, { withinMs: 10_000 });
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'sick' }).waitFor();
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('Home');
    const first = await slider.getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowRight');
    expect(await slider.getAttribute('aria-valuenow')).toBe('1');
    expect(await slider.getAttribute('aria-valuetext')).not.toBe(first);
    await page.goBack();
    await page.locator('.row').first().waitFor();
  });

  const VIEWS = ['#/containers', 'container', '#/host'] as const;
  const SIZES = { desk: { width: 1200, height: 900 }, phone: { width: 360, height: 740 } } as const;
  const looks = VIEWS.flatMap((view) =>
    (['light', 'dark'] as const).flatMap((colorScheme) =>
      (['desk', 'phone'] as const).map((size) => [view, colorScheme, size] as const),
    ),
  );
  test.each(looks)('passes axe in %s, %s, %s, and cuts off nothing', async (view, colorScheme, size) => {
    await using opened = await open(view === 'container' ? containerHash(sick) : view, {
      colorScheme,
      viewport: SIZES[size],
    });
    const { page } = opened;
    await page
      .locator({ '#/containers': '.row', container: '.plot canvas', '#/host': '.table' }[view])
      .first()
      .waitFor();
    expect(await axeFindings(page)).toEqual([]);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(SIZES[size].width);
  });

  test('is small, and painted at once', async (context) => {
    await using opened = await open('#/host');
    const { page } = opened;
    await page.locator('.table').waitFor();
    const sizes = (await page.evaluate(
      `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(({ name, decodedBodySize }) => [name, decodedBodySize])`,
    )) as readonly (readonly [string, number])[];
    const files = sizes.filter(([name]) => !name.includes('/data/'));
    expect(files.length).toBeGreaterThanOrEqual(3);
    expect(files.reduce((total, [, size]) => total + size, 0)).toBeLessThan(50_000);
    const paintMs = await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0].startTime`);
    console.log(
      `first page: ${files.map(([name, size]) => `${name} ${size}`).join(', ')}; painted after ${paintMs} ms`,
    );
    await expectWithin(context, { what: 'the first paint', tookMs: Number(paintMs), atMostMs: 200 });
  });

  test('shows nothing under another name of this machine', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const answer = await page.goto(url.replace('127.0.0.1', 'rebound.example'));
    expect([answer?.status(), await page.locator('.row').count()]).toEqual([421, 0]);
    await context.close();
  });
});

describe.skipIf(!hasBrowser)('with a token', () => {
  test('a form asks for it, and the tab remembers it', async () => {
    const port = await freePort();
    const tokenFile = join(bed.directory, 'token');
    writeFileSync(tokenFile, 'open-sesame\n');
    await using other = await openBed([
      ...['autostart = false', '[page]', `listen = "127.0.0.1:${port}"`, `token_file = "${tokenFile}"`],
    ]);
    const running = other.spawn(['daemon', 'run']);
    await until(async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.ok, {
      withinMs: 60_000,
    });
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${port}/#/host`);
    const field = page.getByLabel('Token');
    await field.fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('this is not the token').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await field.fill('open-sesame');
    await page.getByRole('button', { name: 'Show the page' }).click();
    await page.getByText('live', { exact: true }).waitFor();
    await page.reload();
    await page.locator('.table').waitFor();
    expect(await context.cookies()).toEqual([]);
    await context.close();
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
  });
});
