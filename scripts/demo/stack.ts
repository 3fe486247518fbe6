import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianArchive } from '../../testbed/debian-root.ts';
import type { Session } from './session.ts';

/** One image for all three containers, with packages of Debian. */
export const STACK_PACKAGES = 'nginx-light,curl,redis-server,redis-tools,postgresql-15,socat';
export const STACK_IMAGE = 'demo/stack:1';

/** A page that counts its visits in the database; `/health` reports whether the database answers. */
const APP = `#!/bin/sh
read -r method path version
while read -r header && [ "$header" != "$(printf '\\r')" ]; do :; done
answer() { printf 'HTTP/1.0 %s\\r\\n\\r\\n%s\\n' "$1" "$2"; exit; }
[ -e /tmp/broken ] && answer '500 Internal Server Error' 'it broke'
ask() { result=$(psql -h db -U postgres -qtA -c "$1" 2>&1) || answer '503 Service Unavailable' 'no database'; }
case $path in
  /health)
    ask 'select 1'
    answer '200 OK' 'the database answers' ;;
  *)
    ask 'create table if not exists visit (at timestamptz default now())'
    ask 'insert into visit default values'
    ask 'select count(*) from visit'
    answer '200 OK' "visit $result" ;;
esac
`;
/** Every host on the network may connect. */
const ACCESS = 'local all all trust\nhost all all all trust\n';
const SITE = 'server { listen 80; location / { proxy_pass http://app:8000; } }\n';

const TABLE = 'table {{.Names}}\t{{.Status}}\t{{.Ports}}';

const TEAR_DOWN: readonly (readonly string[])[] = [
  ['rm', '-f', 'web', 'app', 'db'],
  ['network', 'rm', 'shop'],
  ['volume', 'rm', 'data'],
];

/**
 * To be called if the demo was interrupted: bridges and firewall rules are the host's. What does not exist is no
 * failure.
 */
export async function removeStack(run: (args: readonly string[]) => Promise<unknown>): Promise<void> {
  for (const command of TEAR_DOWN) await run(command);
}

export interface StackOptions {
  /** The port of the host on which the page is published. */
  readonly port: number;
}

/**
 * A web server, an application and its database, each with another kind of check: started, broken, healed and removed.
 */
export async function playStack(session: Session, { port }: StackOptions): Promise<void> {
  const { directory, chapter, type, watch, close } = session;
  writeFileSync(join(directory, 'app.sh'), APP, { mode: 0o755 });
  writeFileSync(join(directory, 'pg_hba.conf'), ACCESS);
  writeFileSync(join(directory, 'site.conf'), SITE);
  const archive = await debianArchive(STACK_PACKAGES, STACK_IMAGE);
  const visit = () => session.program(['busybox', 'wget', '-q', '-O', '-', `http://127.0.0.1:${port}/`]);

  chapter('An image with nginx, postgres and socat, and a network on which containers find each other by name');
  await type(['load', '-q', '-i', archive]);
  await type(['network', 'create', 'shop']);
  chapter('The database: its data is in a volume, and a command in a resident shell checks it');
  await runDatabase(session);
  chapter('The application: checked by HTTP, and restarted when it is unhealthy');
  const appCheck = [
    '--health-http',
    'http://localhost:8000/health',
    '--health-interval',
    '1s',
    '--health-retries',
    '2',
  ];
  await type([
    ...['run', '-d', '--wait', '--name', 'app', '--network', 'shop', '--tmpfs', '/tmp', '-v', './app.sh:/app.sh:ro'],
    ...[...appCheck, '--health-on-failure', 'restart', '--stop-timeout', '1', STACK_IMAGE],
    ...['socat', 'TCP-LISTEN:8000,fork,reuseaddr', 'EXEC:/app.sh'],
  ]);
  chapter('The web server: published on the host, checked by TCP');
  await type([
    ...['run', '-d', '--wait', '--name', 'web', '--network', 'shop', '-p', `127.0.0.1:${port}:80`],
    ...['-v', './site.conf:/etc/nginx/sites-enabled/default:ro', '--health-tcp', 'localhost:80'],
    ...['--health-interval', '1s', STACK_IMAGE, 'nginx', '-g', 'daemon off;'],
  ]);
  await type(['ps', '--format', TABLE]);
  await visit();
  chapter('Break the application: it becomes unhealthy, is restarted, and becomes healthy');
  await type(['exec', 'app', 'touch', '/tmp/broken']);
  await watch('app', 'unhealthy');
  await watch('app', 'healthy');
  await type(['inspect', '--format', '{{.RestartCount}} restart: {{.State.RestartReason}}', 'app']);
  await visit();
  chapter('Remove the database, and start another on the same volume');
  await type(['rm', '-f', 'db']);
  await watch('app', 'unhealthy');
  await runDatabase(session);
  await watch('app', 'healthy');
  await visit();
  chapter('Tear it down');
  for (const command of TEAR_DOWN) await type(command);
  close('Three services with three kinds of check: the monitor noticed each failure, and restarted the application.');
}

async function runDatabase({ type }: Session): Promise<void> {
  await type([
    ...['run', '-d', '--wait', '--name', 'db', '--network', 'shop', '--user', 'postgres'],
    ...['-v', 'data:/var/lib/postgresql', '-v', './pg_hba.conf:/etc/pg_hba.conf:ro'],
    ...['--tmpfs', '/run/postgresql:mode=1777', '--health-cmd', 'pg_isready', '--health-exec', 'resident'],
    ...['--health-interval', '1s', STACK_IMAGE, '/usr/lib/postgresql/15/bin/postgres', '-D'],
    ...['/var/lib/postgresql/15/main', '-c', 'config_file=/etc/postgresql/15/main/postgresql.conf'],
    ...['-c', 'hba_file=/etc/pg_hba.conf', '-c', 'listen_addresses=*'],
  ]);
}
