import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerArchive } from '../../testbed/image-archive.ts';
import type { Session } from './session.ts';

const IMAGE = { name: 'demo/part:1', config: { Cmd: ['httpd', '-f', '-h', '/www', '-p', '8000'] } };

const FILE = `name: shop
services:
  web:
    image: demo/part:1
    command: sh -c 'mkdir -p /www; hostname >/www/index.html; exec httpd -f -h /www -p 8000'
    depends_on: {api: {condition: service_healthy}}
    healthcheck: {test: ["CMD", "wget", "-q", "-O", "-", "http://api:8000/status"], interval: 1s}
    stop_grace_period: 0s
  api:
    image: demo/part:1
    command: sh -c 'mkdir -p /www; echo fine >/www/status; exec httpd -f -h /www -p 8000'
    depends_on: {db: {condition: service_healthy}}
    labels:
      healthctl.health.http: http://localhost:8000/status
      healthctl.health.on-failure: restart
    healthcheck: {interval: 1s, retries: 2}
    stop_grace_period: 0s
  db:
    image: demo/part:1
    command: sh -c 'sleep 2; touch /tmp/ready; exec sleep 1000'
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ready"], interval: 1s}
    volumes: ["data:/data"]
    stop_grace_period: 0s
volumes: {data: {}}
`;

const PS = ['compose', 'ps', '--format', 'table {{.Name}}\t{{.Status}}'];

/** To be called if the demo was interrupted: bridges and firewall rules are the host's. */
export async function removeCompose(run: (args: readonly string[]) => Promise<unknown>): Promise<void> {
  await run(['compose', 'down', '--volumes', '--timeout', '0']);
}

/** A stack of Docker's compose comes up in the order of health; a service breaks, is healed, is scaled, goes down. */
export async function playCompose(session: Session): Promise<void> {
  const { directory, chapter, type, watch, close } = session;
  writeFileSync(join(directory, 'part.tar'), await dockerArchive(IMAGE));
  writeFileSync(join(directory, 'compose.yaml'), FILE);
  chapter("Three services; each waits until the one that it needs is healthy. Docker's own compose, on containerd");
  await session.program(['cat', 'compose.yaml']);
  await type(['load', '-q', '-i', 'part.tar']);
  await type(['compose', 'up', '-d', '--wait']);
  await type(PS);
  chapter('Break the api: healthctl asks it by HTTP, finds it unhealthy, and restarts it');
  await type(['compose', 'exec', '-T', 'api', 'rm', '/www/status']);
  await watch('shop-api-1', 'unhealthy');
  await watch('shop-api-1', 'healthy');
  await type(['inspect', '--format', '{{.RestartCount}} restart: {{.State.RestartReason}}', 'shop-api-1']);
  chapter('Scale the web to three: the new ones find the api by its name');
  await type(['compose', 'up', '-d', '--wait', '--scale', 'web=3']);
  await type(PS);
  chapter('Take it down: containers, network and volume');
  await type(['compose', 'down', '--volumes']);
  await type(['ps', '-a']);
  close('Up in the order of health, broken, healed, scaled and down: compose did the work, the monitor the checks.');
}
