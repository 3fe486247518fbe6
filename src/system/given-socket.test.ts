import { expect, test } from 'vitest';
import { findGivenSocket, unixPathIn } from './given-socket.ts';

const TEXT = `Num       RefCount Protocol Flags    Type St Inode Path
000000002c35f4dc: 00000002 00000000 00010000 0001 01 30151809 /run/health ctl/docker.sock
000000007f6817db: 00000003 00000000 00000000 0001 03 30138151
00000000cfb28433: 00000003 00000000 00000000 0001 03    43 @abstract
`;

test.each([
  ['30151809', '/run/health ctl/docker.sock'],
  ['30138151', undefined],
  ['43', undefined],
  ['44', undefined],
])('the path of the socket with inode %s', (inode, path) => expect(unixPathIn(TEXT, inode)).toBe(path));

test.each([
  {},
  { LISTEN_PID: '1', LISTEN_FDS: '1' },
  { LISTEN_PID: `${process.pid}` },
  { LISTEN_PID: `${process.pid}`, LISTEN_FDS: '0' },
  { LISTEN_PID: `${process.pid}`, LISTEN_FDS: '2', LISTEN_FDNAMES: 'kept/dns/udp/7-8:kept/dns/tcp/7-8' },
])('a process without a socket of systemd: %j', (env) => expect(findGivenSocket(env)).toBeUndefined());
