import { contentOf, FLAG, type Frame, ProtocolError, TYPE } from './frames.ts';
import { createHeaderDecoder, type HeaderFields } from './hpack.ts';

/** More than the header fields of any answer of containerd. */
const MAX_BYTES = 256 << 10;

/** The header fields of one HEADERS frame with its CONTINUATION frames. */
interface ReceivedHeaders {
  readonly streamId: number;
  readonly fields: HeaderFields;
  readonly isEndOfStream: boolean;
}

/**
 * Assembles the header blocks of a connection (RFC 9113, section 6.10) and decodes them, also those of unknown streams.
 */
export interface HeaderBlocks {
  /** Whether a block continues in the next frame, which must then belong to it. */
  readonly isOpen: boolean;
  /** @returns undefined while the block goes on. Throws ProtocolError. */
  receive(frame: Frame): ReceivedHeaders | undefined;
}

/** @param maxBytes of one block */
export function createHeaderBlocks(maxBytes = MAX_BYTES): HeaderBlocks {
  const decoder = createHeaderDecoder();
  let open: { readonly first: Frame; readonly parts: Buffer[]; bytes: number } | undefined;
  const received = ({ streamId, flags }: Frame, block: Buffer): ReceivedHeaders => {
    open = undefined;
    return { streamId, fields: decoder.decode(block), isEndOfStream: (flags & FLAG.endStream) !== 0 };
  };
  return {
    get isOpen() {
      return open !== undefined;
    },
    receive: (frame) => {
      const isWhole = (frame.flags & FLAG.endHeaders) !== 0;
      if (frame.type === TYPE.headers) {
        const content = contentOf(frame);
        if (isWhole) return received(frame, content);
        open = { first: frame, parts: [content], bytes: content.length };
        return undefined;
      }
      if (open?.first.streamId !== frame.streamId) throw new ProtocolError('a CONTINUATION of nothing');
      open.parts.push(frame.payload);
      open.bytes += frame.payload.length;
      if (open.bytes > maxBytes) throw new ProtocolError(`more than ${maxBytes} bytes of header fields`);
      return isWhole ? received(open.first, Buffer.concat(open.parts)) : undefined;
    },
  };
}
