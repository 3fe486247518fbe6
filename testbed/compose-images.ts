import type { ImageOptions } from './image-archive.ts';

// What compose's own end-to-end tests use as images, made of busybox: nothing is pulled.

const NGINX = `#!/bin/sh
trap 'kill $! 2>/dev/null; exit 0' TERM QUIT INT
httpd -f -p 80 -h /usr/share/nginx/html &
wait $!
`;
/** The last argument that is no option is the URL. */
const CURL = `#!/bin/sh
for word; do case $word in -*) ;; *) url=$word ;; esac; done
exec wget -q -O - "$url"
`;
/** Debian's busybox lacks it. */
const PRINTENV = `#!/bin/sh
[ $# -gt 0 ] || exec env
for name; do eval "[ -n \\"\\\${$name+x}\\" ]" || exit 1; eval "printf '%s\\\\n' \\"\\$$name\\""; done
`;
const PAGE = '<!DOCTYPE html><html><body><h1>Welcome to nginx!</h1></body></html>\n';

const BASE: NonNullable<ImageOptions['files']> = {
  'bin/bash': '#!/bin/sh\nexec /bin/sh "$@"\n',
  'bin/printenv': PRINTENV,
  'usr/bin/env': { link: '/bin/env' },
  // Debian's busybox asks DNS first without it.
  'etc/nsswitch.conf': 'hosts: files dns\n',
  'usr/bin/curl': CURL,
  'run/': {},
  'var/run': { link: '../run' },
};
const SERVER = {
  ...BASE,
  'usr/sbin/nginx': NGINX,
  'usr/share/nginx/html/index.html': PAGE,
  'etc/nginx/conf.d/default.conf': '',
};

/** An image without a command runs a shell. */
const shell = (name: string): ImageOptions => ({ name, files: BASE, config: { Cmd: ['sh'] } });
const waiting = (name: string): ImageOptions => ({ name, files: BASE, config: { Cmd: ['sleep', 'infinity'] } });
const server = (name: string, config: object = {}): ImageOptions => ({
  name,
  files: { ...SERVER, 'usr/share/nginx/html/words/noun': '{"word":"stand-in"}\n' },
  config: { Cmd: ['nginx'], ExposedPorts: { '80/tcp': {} }, ...config },
});

/** They differ in their names only, so that each has an id of its own. */
export const COMPOSE_IMAGES: readonly ImageOptions[] = [
  ...['latest', '3.12', '3.13', '3.13.12', '3.14', '3.15'].map((tag) => shell(`alpine:${tag}`)),
  ...['busybox:latest', 'busybox:1.35.0', 'bash:latest', 'debian:latest'].map(shell),
  ...['nginx:latest', 'nginx:alpine'].map((name) => server(name, { StopSignal: 'SIGQUIT' })),
  server('gtardif/sentences-web:latest'),
  ...['gtardif/sentences-db:latest', 'gtardif/sentences-api:latest', 'mariadb:latest'].map(waiting),
  { ...shell('alpine/curl:latest'), config: { Entrypoint: ['curl'], Cmd: ['-h'] } },
  { ...shell('hello-world:latest'), config: { Cmd: ['echo', 'Hello from Docker!'] } },
].map((image) => ({ ...image, config: { ...image.config, Labels: { 'stand-in': image.name } } }));
