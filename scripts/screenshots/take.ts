import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { historyDirOf } from '../../src/history/files.ts';
import { openBrowser } from '../../testbed/browser.ts';
import { freePort } from '../../testbed/free-port.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { writePast } from '../../testbed/past-week.ts';
import { startContainerd, testbedEnvironment } from '../../testbed/private-containerd.ts';
import { mustRun, startProgram } from '../../testbed/program.ts';
import { until } from '../../testbed/until.ts';
import { pastOf, SHOP } from './shop.ts';

const HEALTHCTL = fileURLToPath(new URL('../../bin/healthctl', import.meta.url));
const images = resolve(process.argv[2] ?? 'docs/images');
mkdirSync(images, { recursive: true });
const namespace = `shots-${process.pid}`;

const containerd = await startContainerd();
try {
  writeFileSync(join(containerd.directory, 'namespaces', namespace), '');
  const [runRoot, dataRoot] = [join(containerd.directory, 'run'), join(containerd.directory, 'data')];
  const config = join(containerd.directory, 'healthctl.toml');
  writeFileSync(config, `watch_namespaces = ["${namespace}"]\nnetwork = "none"\nautostart = false\n`);
  const env = {
    ...testbedEnvironment(containerd.directory),
    ...{ CONTAINERD_ADDRESS: containerd.address, CONTAINERD_NAMESPACE: namespace },
    ...{ HEALTHCTL_RUN_ROOT: runRoot, HEALTHCTL_DATA_ROOT: dataRoot, HEALTHCTL_TOML: config },
  };
  const run = (args: readonly string[]): Promise<string> => mustRun([HEALTHCTL, ...args], { env });
  const ids = new Map<string, string>();
  for (const { name, image, options, command } of SHOP) {
    const archive = join(containerd.directory, 'archives', `${name}.tar`);
    writeFileSync(archive, await dockerArchive({ name: image, config: {} }));
    await run(['load', '--quiet', '--input', archive]);
    const id = await run(['run', '-d', '--name', name, ...options, image, ...command]);
    ids.set(name, id.trim());
  }
  await run(['stop', '-t', '0', 'report']);
  const dir = historyDirOf({ dataRoot, address: containerd.address });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  await writePast(
    dir,
    pastOf((name) => `${namespace}/${ids.get(name) ?? name}`),
    {
      ...{ untilMs: Date.now(), lengthMs: 7 * 86_400_000, everyMs: 30_000 },
    },
  );
  const port = await freePort();
  const monitor = startProgram([HEALTHCTL, 'daemon', 'run', '--page', `127.0.0.1:${port}`], { env });
  try {
    await until(async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.ok, {
      withinMs: 60_000,
    });
    await run(['wait', '--condition', 'unhealthy', 'api']);
    await takeAll(`http://127.0.0.1:${port}/`, `${namespace}/${ids.get('api')}`);
  } finally {
    monitor.kill('SIGTERM');
    await monitor.exited;
  }
} finally {
  await containerd.stop();
}

async function takeAll(url: string, key: string): Promise<void> {
  const browser = await openBrowser();
  try {
    const views = [
      { name: 'page-light', colorScheme: 'light', width: 1120, height: 800, hash: '#/containers?range=90m' },
      { name: 'page-dark', colorScheme: 'dark', width: 1120, height: 800, hash: '#/containers?range=7d' },
      { name: 'page-container', colorScheme: 'light', width: 1120, height: 1180, hash: containerHash(key) },
      { name: 'page-phone', colorScheme: 'dark', width: 390, height: 844, hash: '#/containers?range=24h' },
    ] as const;
    for (const { name, colorScheme, width, height, hash } of views) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height } });
      const page = await context.newPage();
      await page.goto(`${url}${hash}`);
      await settled(page, hash === containerHash(key));
      const file = join(images, `${name}.webp`);
      writeFileSync(file, await webpOf(browser, await page.screenshot()));
      process.stdout.write(`${file}\n`);
      await context.close();
    }
  } finally {
    await browser.close();
  }
}

/** A fifth of the size of a PNG. The browser itself converts it. */
async function webpOf(browser: Browser, png: Buffer): Promise<Buffer> {
  const page = await browser.newPage();
  const url = await page.evaluate(
    `new Promise((resolve) => {
      const image = new Image();
      image.onload = () => {
        const canvas = new OffscreenCanvas(image.width, image.height);
        canvas.getContext('2d').drawImage(image, 0, 0);
        canvas.convertToBlob({ type: 'image/webp', quality: 0.9 }).then((blob) => {
          const reader = new FileReader();
          reader.onload = () => resolve(reader.result);
          reader.readAsDataURL(blob);
        });
      };
      image.src = 'data:image/png;base64,${png.toString('base64')}';
    })`,
  );
  await page.close();
  return Buffer.from(String(url).split(',')[1] ?? '', 'base64');
}

function containerHash(key: string): string {
  return `#/container/${encodeURIComponent(key)}?range=24h`;
}

async function settled(page: Page, isContainer: boolean): Promise<void> {
  await page.getByText('live', { exact: true }).waitFor();
  await page
    .locator(isContainer ? '.plot canvas' : '.row')
    .first()
    .waitFor();
  // Time for the first results of this monitor, its first write of the history, and the answer that has it.
  await page.waitForTimeout(15_000);
}
