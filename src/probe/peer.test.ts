import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameFrom, settingsFrame } from '../containerd/http2/frames.ts';
import { PEER_BYTES, type Peer, peerFrom } from './peer.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('peerFrom', () => {
  test.each<[string, Buffer, Peer | undefined]>([
    ['no bytes yet', latin1(''), undefined],
    ['an alert of TLS', Buffer.from([21, 3, 1, 0, 2, 2, 70]), { kind: 'tls' }],
    ['the beginning of a ServerHello', Buffer.from([22, 3, 3]), { kind: 'tls' }],
    ['an incomplete status line', latin1('HTTP/1.1 400 Ba'), undefined],
    ['a status line', latin1('HTTP/1.1 400 Bad\r\nA: b'), { kind: 'http/1', line: 'HTTP/1.1 400 Bad' }],
    ['a status line with control characters', latin1('HTTP/1.1 \x1b[2J\n'), { kind: 'http/1', line: 'HTTP/1.1 ?[2J' }],
    ['an endless status line', latin1(`HTTP/${'x'.repeat(200)}`), { kind: 'http/1', line: `HTTP/${'x'.repeat(123)}` }],
    ['SETTINGS', settingsFrame([[3, 100]]), { kind: 'http/2' }],
    ['empty SETTINGS', settingsFrame([]), { kind: 'http/2' }],
    ['GOAWAY', frameFrom(7, 0, 0, Buffer.alloc(8)), { kind: 'http/2' }],
    ['a frame that begins no connection', frameFrom(0, 0, 1), { kind: 'other', shown: expect.any(String) }],
    ['incomplete SETTINGS', frameFrom(4, 0, 0, Buffer.alloc(5)), { kind: 'other', shown: expect.any(String) }],
    ['another protocol', latin1('SSH-2.0-OpenSSH'), { kind: 'other', shown: '"SSH-2.0-OpenSSH"' }],
  ])('identifies %s', (_, bytes, expected) => {
    expect(peerFrom(bytes)).toEqual(expected);
  });

  test('identifies the protocol within a limited number of bytes, and shows one printable line', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: PEER_BYTES, maxLength: 300 }), (bytes) => {
        const peer = peerFrom(Buffer.from(bytes));
        expect(peer).toBeDefined();
        const shown = peer?.kind === 'http/1' ? peer.line : peer?.kind === 'other' ? peer.shown : '';
        expect(shown).toMatch(/^[ -~]*$/);
      }),
    );
  });
});
