import { HealthctlError } from '../../lib/errors.ts';
import { parseDevice, parseDeviceRule } from '../../oci/devices.ts';
import { parseNamespaceModes } from '../../oci/namespaces.ts';
import { parseSysctl, refuseSysctlsOfHost } from '../../oci/sysctls.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { checkBy } from './check-by.ts';
import { CONTAINER, FILE } from './values.ts';

/** The options of `run` and `create` that share namespaces of the host or of another container, in Docker's words. */
export const namespaceOptionSpecs: readonly OptionSpec[] = [
  {
    name: 'annotation',
    type: 'list',
    value: 'map',
    help: 'Add an annotation to the container (passed through to the OCI runtime)',
  },
  {
    name: 'cgroupns',
    type: 'string',
    help: 'Cgroup namespace to use (host|private)',
    complete: { words: ['host', 'private'] },
  },
  { name: 'device', type: 'list', help: 'Add a host device to the container', complete: FILE },
  {
    name: 'device-cgroup-rule',
    type: 'list',
    help: 'Add a rule to the cgroup allowed devices list',
    check: checkBy(parseDeviceRule),
  },
  {
    name: 'ipc',
    type: 'string',
    help: 'IPC mode to use',
    complete: { words: ['host', 'none', 'private', 'shareable'], after: { 'container:': CONTAINER } },
  },
  {
    name: 'pid',
    type: 'string',
    help: 'PID namespace to use',
    complete: { words: ['host'], after: { 'container:': CONTAINER } },
  },
  { name: 'sysctl', type: 'list', value: 'map', help: 'Sysctl options', check: checkBy(parseSysctl) },
  { name: 'uts', type: 'string', help: 'UTS namespace to use', complete: { words: ['host'] } },
];

type NamespaceRequest = Pick<CreateRequest, 'namespaces' | 'devices' | 'deviceRules' | 'sysctls' | 'annotations'>;

/** Throws USAGE and INVALID in Docker's words. @param isHostNetwork whether `--network host` was given */
export function namespacesFrom(options: ParsedOptions, isHostNetwork: boolean): NamespaceRequest {
  const namespaces = parseNamespaceModes({
    pid: options.string('pid'),
    ipc: options.string('ipc'),
    uts: options.string('uts'),
    cgroup: options.string('cgroupns'),
  });
  for (const name of ['hostname', 'domainname']) {
    if (namespaces.uts === 'host' && options.string(name))
      throw new HealthctlError('INVALID', `conflicting options: ${name} and the UTS mode`);
  }
  const sysctls = Object.fromEntries(options.list('sysctl').map(parseSysctl));
  refuseSysctlsOfHost(sysctls, { network: isHostNetwork, ipc: namespaces.ipc === 'host' });
  return {
    namespaces,
    devices: options.list('device').map(parseDevice),
    deviceRules: options.list('device-cgroup-rule'),
    sysctls,
    annotations: Object.fromEntries(options.list('annotation').map(annotationOf)),
  };
}

function annotationOf(text: string): readonly [key: string, value: string] {
  const [key = ''] = text.split('=', 1);
  if (key === '') {
    throw new HealthctlError('INVALID', 'invalid Annotations: the empty string is not permitted as an annotation key');
  }
  return [key, text.slice(key.length + 1)];
}
