import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerArchive } from '../../testbed/image-archive.ts';
import type { Session } from './session.ts';

const SECOND = 1_000_000_000;

/** What a Dockerfile would say as HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD wget -q -O - http://127.0.0.1/status */
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

/** A web server with HEALTHCHECK in its image becomes healthy, is broken, becomes unhealthy, is repaired: the monitor sees it all by itself. */
export async function tellStory(session: Session): Promise<void> {
  await runImage(session);
  const sinceMs = Date.now();
  await breakInside(session);
  await repair(session);
  await tellMore(session, sinceMs);
  session.close('healthy → unhealthy → healthy: the monitor saw every change by itself.');
}

async function runImage({ directory, chapter, type, watch }: Session): Promise<void> {
  writeFileSync(join(directory, 'web.tar'), await dockerArchive(IMAGE));
  chapter('An image with HEALTHCHECK: a web server, and a check that fetches a page from it');
  await type(['load', '-i', 'web.tar']);
  await type(['image', 'inspect', '--format', '{{json .Config.Healthcheck}}', IMAGE.name]);
  chapter('A container of it. The first one with a check starts the monitor; live, its health:');
  await type(['run', '-d', '--name', 'web', IMAGE.name]);
  await watch('web', 'healthy');
  await type(['ps', '--format', TABLE]);
}

async function breakInside({ chapter, type, watch }: Session): Promise<void> {
  chapter('Break it inside: the page is gone, the server still runs. Three failures in a row are enough');
  await type(['exec', 'web', 'mv', '/www/status', '/www/lost']);
  await watch('web', 'unhealthy');
  await type(['ps', '--filter', 'health=unhealthy', '--format', TABLE]);
  await type(['inspect', '--format', LOG, 'web']);
}

async function repair({ chapter, type, watch }: Session): Promise<void> {
  chapter('Repair it: one success is enough');
  await type(['exec', 'web', 'mv', '/www/lost', '/www/status']);
  await watch('web', 'healthy');
}

async function tellMore({ chapter, type }: Session, sinceMs: number): Promise<void> {
  chapter('What happened, and who saw it');
  const [since, until] = [sinceMs, Date.now()].map((ms) => `${ms / 1000}`);
  const filter = ['--filter', 'event=health_status', '--format', '{{.Action}}'];
  await type(['events', '--since', since ?? '', '--until', until ?? '', ...filter]);
  await type(['daemon', 'status']);
  await type(['rm', '-f', 'web']);
}
