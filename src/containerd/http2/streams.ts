import { CANCEL, DEFAULT_MAX_FRAME, FLAG, frameFrom, numberFrame, TYPE } from './frames.ts';
import type { HeaderFields } from './hpack.ts';
import type { Outbox } from './outbox.ts';
import { createReceiveCredit, type ReceiveCredit } from './receive-credit.ts';
import { newSendStream, type SendStream, type SendWindows } from './send-windows.ts';
import { createStreamSlots } from './stream-slots.ts';

/** Ids of streams are used up at 2^31; a new connection starts again. */
const LAST_STREAM_ID = 0x7ffffffd;

/** Receives what the peer sends on a stream. */
export interface StreamEvents {
  /** Called with the headers of the response, then with its trailers. */
  onHeaders(fields: HeaderFields): void;
  onData(bytes: Buffer): void;
  /** The end of the stream. `undefined`: the peer ended it; an error: why it was cut off. Called once. */
  onEnd(cut: Error | undefined): void;
}

export interface Stream {
  /** Resolves when the kernel has the bytes, or when the stream is over. */
  send(bytes: Buffer): Promise<void>;
  /** Ends the sending side. */
  end(): void;
  /** Reports received bytes as consumed: the peer may send as many more. */
  credit(bytes: number): void;
  /** Resets the stream, without a call of `onEnd`. No effect after its end. */
  cancel(): void;
}

/** A stream from `open` until its end. Its id is 0 while it waits for a slot. */
export interface OpenStream extends SendStream {
  readonly events: StreamEvents;
  readonly headers: Buffer;
  readonly received: ReceiveCredit;
  isEndSent: boolean;
  isOver: boolean;
}

/** The streams of a connection: those that are open, and those that wait until the peer takes more. */
export interface Streams {
  /** Whether streams can be opened: not after the peer's GOAWAY, and not when all ids are used. */
  readonly canOpen: boolean;
  /** @param headers the header block of the request */
  open(headers: Buffer, events: StreamEvents): Stream;
  get(id: number): OpenStream | undefined;
  all(): Iterable<OpenStream>;
  /** SETTINGS_MAX_CONCURRENT_STREAMS of the peer; undefined if its SETTINGS contain none. */
  setMaxOpen(count: number | undefined): void;
  /** The stream was cut off. */
  cutOff(stream: OpenStream, reason: Error): void;
  /** The peer has ended its side: the rest of our request is dropped. */
  endByPeer(stream: OpenStream): void;
  /**
   * The peer accepts no more streams: cuts off those that it did not process. @param lastId the last stream that it
   * processed
   */
  goAway(lastId: number, reason: Error): void;
  /** Cuts all off. */
  cutOffAll(reason: Error): void;
}

/** @param streamWindow bytes that the peer may send on a stream before any are consumed */
export function createStreams(outbox: Outbox, windows: SendWindows, streamWindow: number): Streams {
  const begun = new Map<number, OpenStream>();
  let nextId = 1;
  let isGoingAway = false;
  const slots = createStreamSlots<OpenStream>((stream) => {
    const id = nextId;
    nextId += 2;
    begun.set(id, stream);
    outbox.add(frameFrom(TYPE.headers, FLAG.endHeaders, id, stream.headers));
    windows.begin(stream, id);
  });
  const finish = (stream: OpenStream): void => {
    stream.isOver = true;
    begun.delete(stream.id);
    windows.drop(stream);
    slots.leave(stream);
  };
  const over = (stream: OpenStream, cut: Error | undefined): void => {
    if (stream.isOver) return;
    finish(stream);
    stream.events.onEnd(cut);
  };
  /** Called before the stream frees its slot, so that the peer never counts one too many. */
  const reset = (stream: OpenStream): void => {
    if (stream.id !== 0) outbox.add(numberFrame(TYPE.reset, stream.id, CANCEL));
  };
  const goAway = (lastId: number, reason: Error): void => {
    isGoingAway = true;
    const unseen = [...begun.values()].filter(({ id }) => id > lastId);
    for (const stream of [...slots.drain(), ...unseen]) over(stream, reason);
  };
  return {
    get canOpen() {
      return !isGoingAway && nextId + 2 * slots.waiting <= LAST_STREAM_ID;
    },
    open: (headers, events) => {
      if (headers.length > DEFAULT_MAX_FRAME) throw new RangeError('header fields longer than a frame');
      const received = createReceiveCredit(outbox, streamWindow);
      const stream = { ...newSendStream(), events, headers, received, isEndSent: false, isOver: false };
      slots.enter(stream);
      const cancel = (): void => {
        if (stream.isOver) return;
        reset(stream);
        finish(stream);
      };
      return handleOf(stream, { windows, cancel });
    },
    get: (id) => begun.get(id),
    all: () => begun.values(),
    setMaxOpen: slots.setLimit,
    cutOff: over,
    endByPeer: (stream) => {
      if (!stream.isEndSent || stream.queue.length > 0) reset(stream);
      over(stream, undefined);
    },
    goAway,
    cutOffAll: (reason) => goAway(0, reason),
  };
}

/** What the opener of a stream can do with it. */
function handleOf(
  stream: OpenStream,
  { windows, cancel }: { readonly windows: SendWindows; readonly cancel: () => void },
): Stream {
  return {
    send: (bytes) => (stream.isOver ? Promise.resolve() : windows.send(stream, bytes)),
    end: () => {
      if (stream.isOver || stream.isEndSent) return;
      stream.isEndSent = true;
      windows.end(stream);
    },
    credit: (bytes) => {
      if (!stream.isOver) stream.received.add(bytes, stream.id);
    },
    cancel,
  };
}
