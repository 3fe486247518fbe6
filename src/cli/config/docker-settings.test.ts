import { describe, expect, test } from 'vitest';
import { hasCode } from '../../lib/errors.ts';
import { parseConfig } from './config.ts';

const FILES = 'tls_cert = "/c.pem"\ntls_key = "/k.pem"\ntls_ca = "/ca.pem"\n';
const tcpIn = async (lines: string) => (await parseConfig(`[docker_tcp]\n${lines}`, '/f')).monitor?.dockerTcp;

describe('[docker_tcp]', () => {
  test('names an address and all files', async () => {
    expect(await tcpIn(`listen = "127.0.0.1:2376"\n${FILES}`)).toEqual({
      listen: { host: '127.0.0.1', port: 2376 },
      tls: { certFile: '/c.pem', keyFile: '/k.pem', caFile: '/ca.pem' },
    });
  });

  test.each(['listen', 'tls_cert', 'tls_key', 'tls_ca'])('is refused without %s, on loopback too', async (key) => {
    const lines = `listen = "127.0.0.1:2376"\n${FILES}`.split('\n').filter((line) => !line.startsWith(key));
    await expect(tcpIn(lines.join('\n'))).rejects.toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: '/f:1: docker_tcp needs listen, tls_cert, tls_key, tls_ca',
      }),
    );
  });

  test.each(['listen = "localhost:2376"', 'listen = "0.0.0.0"', 'tls_ca = "ca.pem"', 'insecure = true'])(
    'is refused with %s',
    async (line) => {
      const [key = ''] = line.split(' ');
      const others = `listen = "127.0.0.1:2376"\n${FILES}`.split('\n').filter((other) => !other.startsWith(key));
      await expect(tcpIn([...others, line].join('\n'))).rejects.toThrow(
        expect.toSatisfy((error: unknown) => hasCode(error, 'CONFIG')),
      );
    },
  );
});
