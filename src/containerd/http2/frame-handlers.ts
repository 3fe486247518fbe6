import type { Clock } from '../../lib/clock.ts';
import {
  contentOf,
  errorName,
  FLAG,
  type Frame,
  frameFrom,
  goAwayFrom,
  numberOf,
  ProtocolError,
  SETTING,
  settingsFrom,
  TYPE,
} from './frames.ts';
import { createHeaderBlocks, type HeaderBlocks } from './header-blocks.ts';
import type { Outbox } from './outbox.ts';
import { createPingAnswers } from './ping-answers.ts';
import { createReceiveCredit } from './receive-credit.ts';
import type { SendWindows } from './send-windows.ts';
import type { OpenStream, Streams } from './streams.ts';

export interface FrameHandlerDeps {
  readonly outbox: Outbox;
  readonly windows: SendWindows;
  readonly streams: Streams;
  readonly clock: Pick<Clock, 'after'>;
  /** Bytes that the peer may send on all streams before any are consumed. */
  readonly connectionWindow: number;
  /** Largest header block in bytes, with its CONTINUATION frames; undefined: the default. */
  readonly headerBytes: number | undefined;
}

/** Applies the peer's frames to the streams, and answers those that concern the connection. */
export interface FrameHandlers {
  /** Throws ProtocolError: the connection cannot be used any more. */
  handle(frame: Frame): void;
  /** To be called when all frames of a read were applied. */
  afterRead(): void;
  /** The connection is over. */
  stop(): void;
}

export function createFrameHandlers(deps: FrameHandlerDeps): FrameHandlers {
  const { outbox, windows, streams, clock } = deps;
  const blocks = createHeaderBlocks(deps.headerBytes);
  const pings = createPingAnswers(outbox, clock);
  const received = createReceiveCredit(outbox, deps.connectionWindow);
  const takeHeaders = (frame: Frame): void => headersTaken(frame, blocks, streams);
  /** PRIORITY and unknown frames are ignored. */
  const handlers: Readonly<Record<number, (frame: Frame, stream: OpenStream | undefined) => void>> = {
    [TYPE.data]: (frame, stream) => {
      // The connection's window counts padding and the data of cancelled streams, and nothing else returns their
      // credit.
      received.add(frame.payload.length, 0);
      if (stream) takeData(frame, stream, streams);
    },
    [TYPE.headers]: takeHeaders,
    [TYPE.continuation]: takeHeaders,
    [TYPE.reset]: (frame, stream) => {
      if (stream) streams.cutOff(stream, new Error(`the stream was reset: ${errorName(numberOf(frame))}`));
    },
    [TYPE.settings]: (frame) => {
      if ((frame.flags & FLAG.ack) !== 0) return;
      applySettings(frame, windows, streams);
      outbox.add(frameFrom(TYPE.settings, FLAG.ack, 0));
    },
    [TYPE.push]: () => {
      throw new ProtocolError('a PUSH_PROMISE, which was forbidden');
    },
    [TYPE.ping]: ({ flags, payload }) => {
      if ((flags & FLAG.ack) === 0) pings.receive(payload);
    },
    [TYPE.goAway]: (frame) => {
      const { lastStreamId, error } = goAwayFrom(frame);
      streams.goAway(lastStreamId, new Error(`the connection is being closed: ${error}`));
    },
    [TYPE.windowUpdate]: (frame, stream) => windows.enlarge(stream, frame.streamId, numberOf(frame)),
  };
  return {
    handle: (frame) => {
      if (blocks.isOpen && frame.type !== TYPE.continuation)
        throw new ProtocolError('header fields that were interrupted');
      handlers[frame.type]?.(frame, streams.get(frame.streamId));
    },
    afterRead: pings.answerIfBusy,
    stop: pings.stop,
  };
}

function headersTaken(frame: Frame, blocks: HeaderBlocks, streams: Streams): void {
  const headers = blocks.receive(frame);
  const stream = headers && streams.get(headers.streamId);
  if (!stream) return;
  stream.events.onHeaders(headers.fields);
  if (headers.isEndOfStream) streams.endByPeer(stream);
}

function takeData(frame: Frame, stream: OpenStream, streams: Streams): void {
  const content = contentOf(frame);
  const padding = frame.payload.length - content.length;
  if (padding > 0) stream.received.add(padding, stream.id);
  if (content.length > 0) stream.events.onData(content);
  if ((frame.flags & FLAG.endStream) !== 0) streams.endByPeer(stream);
}

function applySettings(frame: Frame, windows: SendWindows, streams: Streams): void {
  const settings = settingsFrom(frame);
  const { initialWindow, maxFrame, maxStreams } = SETTING;
  const windowBytes = settings.get(initialWindow);
  if (windowBytes !== undefined) windows.setInitial(windowBytes, streams.all());
  const frameBytes = settings.get(maxFrame);
  if (frameBytes !== undefined) windows.setMaxFrame(frameBytes);
  streams.setMaxOpen(settings.get(maxStreams));
}
