import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerArchive } from '../../test/fixtures/image-archive.ts';
import type { Session } from './session.ts';

const SECOND = 1_000_000_000;

/** What a Dockerfile would say as HEALTHCHECK --interval=10s --timeout=2s --retries=3 CMD wget -q -O - http://127.0.0.1/status */
const IMAGE = {
  name: 'demo/web:1',
  config: {
    Cmd: ['httpd', '-f', '-h', '/www'],
    Healthcheck: {
      Test: ['CMD-SHELL', 'wget -q -O - http://127.0.0.1/status'],
      Interval: 10 * SECOND,
      Timeout: 2 * SECOND,
      Retries: 3,
    },
  },
  files: { 'www/status': 'all is well\n' },
};

const TABLE = 'table {{.Names}}\t{{.Image}}\t{{.Status}}';
const LOG = '{{range .State.Health.Log}}exit {{.ExitCode}}: {{.Output}}{{end}}';
const STREAK = '{{.State.Health.Status}}, {{.State.Health.FailingStreak}} of {{.Config.Healthcheck.Retries}} failures';

/** A web server with HEALTHCHECK in its image becomes healthy, is broken, becomes unhealthy, is repaired. Every status is checked. */
export async function tellStory(session: Session): Promise<void> {
  await runImage(session);
  await becomeHealthy(session);
  await breakInside(session);
  await repair(session);
  await session.type(['rm', '-f', 'web']);
  session.close('healthy → unhealthy → healthy: every status was seen.');
}

async function runImage({ directory, chapter, type, mustBe }: Session): Promise<void> {
  writeFileSync(join(directory, 'web.tar'), await dockerArchive(IMAGE));
  chapter('An image with HEALTHCHECK: a web server, and a check that fetches a page from it');
  await type(['load', '-i', 'web.tar']);
  await type(['image', 'inspect', '--format', '{{json .Config.Healthcheck}}', IMAGE.name]);
  chapter('A container of it; how it is checked stands in the image');
  await type(['run', '-d', '--name', 'web', IMAGE.name]);
  await type(['ps', '--format', TABLE]);
  await mustBe('web', 'starting');
}

async function becomeHealthy({ chapter, type, mustBe }: Session): Promise<void> {
  chapter('The first check: the page is there');
  await type(['healthcheck', 'run', 'web']);
  await type(['ps', '--format', TABLE]);
  await mustBe('web', 'healthy');
}

async function breakInside({ chapter, type, mustBe }: Session): Promise<void> {
  chapter('Break it inside: the page is gone, the server still runs. One failure is not enough');
  await type(['exec', 'web', 'mv', '/www/status', '/www/lost']);
  await type(['healthcheck', 'run', 'web'], { exit: 1 });
  await mustBe('web', 'healthy');
  await type(['healthcheck', 'run', 'web'], { exit: 1 });
  await type(['inspect', '--format', STREAK, 'web']);
  chapter('The third failure in a row is');
  await type(['healthcheck', 'run', 'web'], { exit: 1 });
  await type(['ps', '--format', TABLE]);
  await mustBe('web', 'unhealthy');
  await type(['inspect', '--format', LOG, 'web']);
}

async function repair({ chapter, type, mustBe }: Session): Promise<void> {
  chapter('Repair it: one success is enough');
  await type(['exec', 'web', 'mv', '/www/lost', '/www/status']);
  await type(['healthcheck', 'run', 'web']);
  await type(['ps', '--filter', 'health=healthy', '--format', TABLE]);
  await mustBe('web', 'healthy');
  await type(['inspect', '--format', '{{json .State.Health}}', 'web']);
}
