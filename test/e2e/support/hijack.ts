import { connect } from 'node:net';
import { decodeFrames } from '../../builders/frames.ts';
import { until } from './harness.ts';

/** A connection to the Docker API that carries bytes both ways. */
export interface HijackedClient {
  /** The head of the answer, e.g. `HTTP/1.1 101 UPGRADED\r\nContent-Type: …`. */
  readonly head: string;
  /** What came after the head. */
  bytes(): Buffer;
  frames(): ReturnType<typeof decodeFrames>;
  write(text: string): void;
  /** Ends the client's side, and goes on reading. */
  end(text?: string): void;
  /** Reads no more. */
  pause(): void;
  destroy(): void;
  /** Resolves when the server has ended its side. */
  readonly ended: Promise<void>;
}

/** @param options.isUpgrade whether to ask for an upgrade, as the docker command line does; default: yes */
export async function hijack(
  socketPath: string,
  path: string,
  options: { readonly body?: unknown; readonly isUpgrade?: boolean } = {},
): Promise<HijackedClient> {
  const { body, isUpgrade = true } = options;
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  const ended = new Promise<void>((resolve) => {
    socket.once('end', resolve);
    socket.once('close', () => resolve());
    socket.on('error', () => resolve());
  });
  const json = body === undefined ? '' : JSON.stringify(body);
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: docker',
    ...(isUpgrade ? ['Connection: Upgrade', 'Upgrade: tcp'] : []),
    ...(json === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(json)}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${json}`);
  await until(() => received.includes('\r\n\r\n'), { withinMs: 10_000 });
  const at = received.indexOf('\r\n\r\n') + 4;
  const bytes = () => received.subarray(at);
  return {
    head: received.subarray(0, at).toString('latin1'),
    bytes,
    frames: () => decodeFrames(bytes()),
    write: (text) => void socket.write(text),
    end: (text = '') => void socket.end(text),
    pause: () => void socket.pause(),
    destroy: () => void socket.destroy(),
    ended,
  };
}
