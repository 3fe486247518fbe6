import type { ImageConfig, ImageOptions } from '../../../testbed/image-archive.ts';

/**
 * A replacement for a public image in the sessions of the documents: its name, its config, and small programs with the
 * names of the real ones.
 */
export interface StandIn {
  /** As in the documents. */
  readonly name: string;
  readonly config: ImageConfig;
  readonly files?: NonNullable<ImageOptions['files']>;
}

const script = (...lines: readonly string[]): string => ['#!/bin/sh', ...lines, ''].join('\n');
/** Ends at the signals that stop a server: process 1 ignores signals that it does not handle. */
const serve = (port: number, directory: string): readonly string[] => [
  "trap 'exit 0' TERM QUIT INT",
  `httpd -f -p ${port} -h ${directory} &`,
  'wait',
];
const RUN_COMMAND = script('exec "$@"');
const CURL = script(
  'for last; do :; done',
  'wget -q -O - "$last" 2>/dev/null && exit',
  'echo "curl: (22) The requested URL returned error: 403" >&2',
  'exit 22',
);
/** A program of busybox that the public image does not have. */
const NOT_THERE = script('echo "$0: not found" >&2', 'exit 127');

export const STAND_INS: readonly StandIn[] = [
  { name: 'busybox:latest', config: { Cmd: ['sh'] } },
  {
    name: 'nginx:latest',
    config: {
      Entrypoint: ['/docker-entrypoint.sh'],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
    },
    files: {
      'docker-entrypoint.sh': RUN_COMMAND,
      'usr/sbin/nginx': script(...serve(80, '/usr/share/nginx/html')),
      'usr/bin/curl': CURL,
      'usr/local/bin/wget': NOT_THERE,
      'usr/local/bin/ping': NOT_THERE,
      'usr/bin/getent': script(
        'while read -r address name rest; do',
        '  [ "$name" = "$2" ] && echo "$address      $name"',
        'done </etc/hosts',
      ),
      'usr/share/nginx/html/index.html': '<h1>Welcome to nginx!</h1>\n',
    },
  },
  {
    name: 'redis:latest',
    config: {
      Entrypoint: ['docker-entrypoint.sh'],
      Cmd: ['redis-server'],
      ExposedPorts: { '6379/tcp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/data',
    },
    files: {
      'usr/local/bin/docker-entrypoint.sh': RUN_COMMAND,
      'usr/local/bin/redis-server': script('rm -f /tmp/password', ...serve(6379, '/tmp')),
      'usr/local/bin/redis-cli': script(
        'case "$*" in',
        '  "config set requirepass "*) touch /tmp/password; echo OK; exit ;;',
        'esac',
        'if [ -e /tmp/password ]; then echo "NOAUTH Authentication required."; exit; fi',
        'case "$1" in',
        '  ping) echo PONG ;;',
        '  set) echo "$3" >"/data/$2"; echo OK ;;',
        '  get) cat "/data/$2" ;;',
        'esac',
      ),
    },
  },
  {
    name: 'postgres:latest',
    config: {
      Entrypoint: ['docker-entrypoint.sh'],
      Cmd: ['postgres'],
      ExposedPorts: { '5432/tcp': {} },
      Volumes: { '/var/lib/postgresql': {} },
      StopSignal: 'SIGINT',
    },
    files: {
      'usr/local/bin/docker-entrypoint.sh': script(
        '[ -n "$POSTGRES_PASSWORD" ] || { echo "Error: Database is uninitialized and superuser password is not specified."; exit 1; }',
        'exec "$@"',
      ),
      'usr/local/bin/postgres': script(...serve(5432, '/tmp')),
      'usr/local/bin/pg_isready': script('nc -w 1 127.0.0.1 5432 </dev/null >/dev/null || exit 2'),
      'usr/local/bin/wget': NOT_THERE,
    },
  },
  {
    name: 'axllent/mailpit:latest',
    config: {
      Entrypoint: ['/mailpit'],
      Cmd: [],
      ExposedPorts: { '1025/tcp': {}, '1110/tcp': {}, '8025/tcp': {} },
      Healthcheck: { Test: ['CMD-SHELL', '/mailpit readyz'], Interval: 15_000_000_000 },
    },
    files: {
      mailpit: script('[ "$1" = readyz ] && exec wget -q -O /dev/null http://127.0.0.1:8025/', ...serve(8025, '/www')),
      'www/index.html': 'ok\n',
    },
  },
  {
    name: 'quay.io/coreos/etcd:v3.5.16',
    config: { Cmd: ['/usr/local/bin/etcd'], ExposedPorts: { '2379/tcp': {}, '2380/tcp': {} } },
    files: { 'usr/local/bin/etcd': script(...serve(2379, '/tmp')) },
  },
];

/** The replacements for the images that these commands name. */
export const standInsIn = (commands: string): readonly StandIn[] =>
  STAND_INS.filter(({ name }) => new RegExp(`(?:^|[\\s/])${name.replace(/:latest$/, '')}\\b`, 'm').test(commands));
