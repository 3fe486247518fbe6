import { expect, test } from 'vitest';
import { listenersIn } from './listeners.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (address: string, port: string, state = '0A') =>
  `   0: ${address}:${port} ${'0'.repeat(address.length)}:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0`;

test.each([
  ['0100007F', '1F90', { address: '127.0.0.1', port: 8080 }],
  ['00000000', '0050', { address: '0.0.0.0', port: 80 }],
  ['00000000000000000000000001000000', '0050', { address: '::1', port: 80 }],
  ['00000000000000000000000000000000', '01BB', { address: '::', port: 443 }],
  ['0000000000000000FFFF00000100007F', '0050', { address: '127.0.0.1', port: 80 }],
  ['B80D0120000000000000000001000000', '0050', { address: '2001:db8::1', port: 80 }],
])('%s:%s', (address, port, listener) => {
  expect(listenersIn([HEAD, line(address, port)].join('\n'), true)).toEqual([listener]);
});

test('reads addresses of big-endian machines', () => {
  expect(listenersIn(line('7F000001', '0050'), false)).toEqual([{ address: '127.0.0.1', port: 80 }]);
});

test('reads only listening sockets, and only complete lines', () => {
  const text = [HEAD, line('0100007F', '0050', '01'), line('0100007F', '0051').slice(0, 20), ''].join('\n');
  expect(listenersIn(text, true)).toEqual([]);
});
