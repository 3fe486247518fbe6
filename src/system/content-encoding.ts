import type { IncomingMessage } from 'node:http';

/** Whether to compress an answer: only for clients of other machines; on this one it would cost more than it saves. */
export function wantsGzip({ headers, socket }: IncomingMessage): boolean {
  const { remoteAddress } = socket;
  const isLocal = remoteAddress === undefined || remoteAddress === socket.localAddress;
  return !isLocal && /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(`${headers['accept-encoding'] ?? ''}`);
}

/** Outside of the main thread. */
export async function gzipped(bytes: Uint8Array): Promise<Buffer> {
  const { constants, gzip } = await import('node:zlib');
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, packed: Buffer): void => (error ? reject(error) : resolve(packed));
    gzip(bytes, { level: constants.Z_BEST_SPEED }, done);
  });
}
