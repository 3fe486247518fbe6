import { readFileSync } from 'node:fs';
import { HealthctlError } from '../lib/errors.ts';

/** The number of a group of this host, by name or number. Throws CONFIG for one that does not exist. */
export function groupIdOf(group: string, file = '/etc/group'): number {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((each) => each.split(':')[0] === group && group !== '');
  const id = Number(line?.split(':')[2]);
  if (line !== undefined && Number.isInteger(id)) return id;
  throw new HealthctlError('CONFIG', `socket_group: there is no group ${JSON.stringify(group)}`);
}
