import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerArchive } from '../../testbed/image-archive.ts';
import type { Session } from './session.ts';

const SECOND = 1_000_000_000;

/**
 * Like a Dockerfile with HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD wget -q -O - http://127.0.0.1/status
 */
const IMAGE = {
  name: 'demo/web:1',
  config: {
    Cmd: ['httpd', '-f', '-h', '/www'],
    Healthcheck: {
      Test: ['CMD-SHELL', 'wget -q -O - http://127.0.0.1/status'],
      Interval: 1 * SECOND,
      Timeout: 2 * SECOND,
      Retries: 3,
    },
  },
  files: { 'www/status': 'all is well\n' },
};

const TABLE = 'table {{.Names}}\t{{.Image}}\t{{.Status}}';
const LOG = '{{range .State.Health.Log}}exit {{.ExitCode}}: {{.Output}}{{end}}';

/**
 * A web server whose image has a HEALTHCHECK becomes healthy, is broken, becomes unhealthy, and is repaired. The
 * monitor notices every change by itself.
 */
export async function playCheck(session: Session): Promise<void> {
  await runImage(session);
  const sinceMs = Date.now();
  await breakInside(session);
  await repair(session);
  await showEvents(session, sinceMs);
  session.close('healthy → unhealthy → healthy: the monitor noticed every change by itself.');
}

async function runImage({ directory, chapter, type, watch }: Session): Promise<void> {
  writeFileSync(join(directory, 'web.tar'), await dockerArchive(IMAGE));
  chapter('An image with HEALTHCHECK: a web server, and a check that fetches a page from it');
  await type(['load', '-i', 'web.tar']);
  await type(['image', 'inspect', '--format', '{{json .Config.Healthcheck}}', IMAGE.name]);
  chapter('A container of this image. The first container with a check starts the monitor. Its health, live:');
  await type(['run', '-d', '--name', 'web', IMAGE.name]);
  await watch('web', 'healthy');
  await type(['ps', '--format', TABLE]);
}

async function breakInside({ chapter, type, watch }: Session): Promise<void> {
  chapter('Break it: the page is gone, the server still runs. Three failures in a row make it unhealthy');
  await type(['exec', 'web', 'mv', '/www/status', '/www/lost']);
  await watch('web', 'unhealthy');
  await type(['ps', '--filter', 'health=unhealthy', '--format', TABLE]);
  await type(['inspect', '--format', LOG, 'web']);
}

async function repair({ chapter, type, watch }: Session): Promise<void> {
  chapter('Repair it: one success makes it healthy');
  await type(['exec', 'web', 'mv', '/www/lost', '/www/status']);
  await watch('web', 'healthy');
}

async function showEvents({ chapter, type }: Session, sinceMs: number): Promise<void> {
  chapter('The events, and the state of the monitor');
  const [since, until] = [sinceMs, Date.now()].map((ms) => `${ms / 1000}`);
  const filter = ['--filter', 'event=health_status', '--format', '{{.Action}}'];
  await type(['events', '--since', since ?? '', '--until', until ?? '', ...filter]);
  await type(['daemon', 'status']);
  await type(['rm', '-f', 'web']);
}
