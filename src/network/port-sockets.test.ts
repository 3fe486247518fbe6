import { expect, test } from 'vitest';
import { bindError } from './port-sockets.ts';

const endpoint = { hostIp: '0.0.0.0', hostPort: 80, protocol: 'tcp' } as const;
const failed = (code: string) => bindError(endpoint, Object.assign(new Error(`${code}: bind`), { code }));

test.each([
  ['EADDRINUSE', 'CONFLICT', 'address already in use'],
  ['EADDRNOTAVAIL', 'INVALID', 'cannot assign requested address'],
  ['EACCES', 'DENIED', 'permission denied'],
  ['EMFILE', 'EXHAUSTED', 'too many open files'],
])('the error %s has the code %s, and its reason in words', (errno, code, reason) => {
  expect(failed(errno)).toMatchObject({ code, message: `failed to bind host port 0.0.0.0:80/tcp: ${reason}` });
});
