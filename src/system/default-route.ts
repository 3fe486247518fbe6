import { closeSync, readSync, writeSync } from 'node:fs';
import { HealthctlError } from '../lib/errors.ts';
import { IS_LITTLE, int16, int32 } from './host-number.ts';
import { openNetworkNamespace, type ProcessIdentity } from './netns.ts';

// uapi/linux/netlink.h, rtnetlink.h
const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_REPLACE = 0x100;
const NLM_F_CREATE = 0x400;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTA_GATEWAY = 5;
const AF_INET = 2;
const AF_INET6 = 10;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const RTN_UNSPEC = 0;
const HEADER_SIZE = 16;
/** No such route: of IPv4, or because the namespace has no route of IPv6 at all. */
const [ENOENT, ESRCH] = [2, 3];

/**
 * Sets the default route in the network of a process, or removes it.
 *
 * @param gateway the bytes of an address that the process reaches directly: 4 or 16; undefined: no route
 * @throws RUNTIME if the kernel refuses it; CONFLICT if the process has ended; DENIED
 */
export function setDefaultRoute(process: ProcessIdentity, family: 4 | 6, gateway: Buffer | undefined): void {
  const namespace = openNetworkNamespace(process);
  if (!namespace) throw new HealthctlError('CONFLICT', `process ${process.pid} has ended`);
  try {
    const fd = namespace.openRouteSocket();
    try {
      writeSync(fd, routeMessage(family, gateway));
      const errno = errorOf(fd);
      if (errno === 0 || (gateway === undefined && (errno === ESRCH || errno === ENOENT))) return;
      throw new HealthctlError(
        'RUNTIME',
        `the default route of process ${process.pid} could not be set: errno ${errno}`,
      );
    } finally {
      closeSync(fd);
    }
  } finally {
    namespace.close();
  }
}

/** `struct nlmsghdr`, `struct rtmsg`, and the attribute with the gateway. The kernel finds its interface. */
function routeMessage(family: 4 | 6, gateway: Buffer | undefined): Buffer {
  const type = gateway === undefined ? RTM_DELROUTE : RTM_NEWROUTE;
  const flags = NLM_F_REQUEST | NLM_F_ACK | (gateway === undefined ? 0 : NLM_F_CREATE | NLM_F_REPLACE);
  const route = Buffer.from([
    ...[family === 4 ? AF_INET : AF_INET6, 0, 0, 0, RT_TABLE_MAIN],
    ...[gateway === undefined ? 0 : RTPROT_BOOT, RT_SCOPE_UNIVERSE, gateway === undefined ? RTN_UNSPEC : RTN_UNICAST],
    ...[0, 0, 0, 0],
  ]);
  const attribute = gateway === undefined ? [] : [int16(4 + gateway.length), int16(RTA_GATEWAY), gateway];
  const body = Buffer.concat([route, ...attribute]);
  const header = [int32(HEADER_SIZE + body.length), int16(type), int16(flags), int32(1), int32(0)];
  return Buffer.concat([...header, body]);
}

/** The kernel's answer: 0, or an errno. */
function errorOf(fd: number): number {
  const answer = Buffer.alloc(4096);
  const length = readSync(fd, answer);
  const type = IS_LITTLE ? answer.readUInt16LE(4) : answer.readUInt16BE(4);
  if (length < HEADER_SIZE + 4 || type !== NLMSG_ERROR)
    throw new HealthctlError('RUNTIME', `the kernel answered a routing message with type ${type}`);
  return -(IS_LITTLE ? answer.readInt32LE(HEADER_SIZE) : answer.readInt32BE(HEADER_SIZE));
}
