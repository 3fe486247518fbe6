import { createBoundedOutput, MAX_OUTPUT_BYTES } from './bounded-output.ts';
import { type BodyReader, bodyReaderOf } from './http-body.ts';
import { createHeadReader, type Head } from './http-head.ts';

/** Limit on a whole response: without it, chunks of one byte with long extensions could make one of megabytes. */
const MAX_BYTES = 64 * 1024;

/**
 * Reads one response to a GET (RFC 9112) from bytes as they arrive, in bounded memory. It keeps 16 KiB of a head, and
 * as much of a body as a result can store; with more it is done. A response of more than 64 KiB without an end is
 * broken.
 */
export interface HttpResponseReader {
  /** Processes received bytes. Ignores them once the state is not `reading`. */
  feed(bytes: Buffer): void;
  /** The connection has ended; this also ends a body without a length. */
  end(): void;
  state(): ResponseState;
  /** 0 before the head has arrived. */
  statusCode(): number;
  /** The text read so far, e.g. `HTTP 503 Service Unavailable: try later`; empty before the head has arrived. */
  text(): string;
}

type ResponseState =
  | { readonly kind: 'reading' }
  | { readonly kind: 'done' }
  /** @see reason a clause that says what is wrong with the response */
  | { readonly kind: 'broken'; readonly reason: string };

const READING: ResponseState = { kind: 'reading' };
const DONE: ResponseState = { kind: 'done' };
const broken = (reason: string): ResponseState => ({ kind: 'broken', reason });

export function createHttpResponseReader(): HttpResponseReader {
  const headReader = createHeadReader();
  const body = createBoundedOutput();
  let head: Head | undefined;
  let bodyReader: BodyReader | undefined;
  let bodyBytes = 0;
  let bytesTaken = 0;
  let state = READING;

  const addBody = (bytes: Buffer): void => {
    body.add(bytes);
    bodyBytes += bytes.length;
  };
  const takeHead = (bytes: Buffer): number => {
    const step = headReader.take(bytes);
    if (step.kind === 'broken') return fail(step.reason);
    if (step.kind === 'whole') {
      head = step.head;
      bodyReader = bodyReaderOf(head, addBody);
      if (!bodyReader) state = DONE;
    }
    return step.taken;
  };
  const takeBody = (reader: BodyReader, bytes: Buffer): number => {
    const step = reader.take(bytes);
    if (step.kind === 'broken') return fail(step.reason);
    if (step.kind === 'done' || bodyBytes > MAX_OUTPUT_BYTES) state = DONE;
    return step.taken;
  };
  const fail = (reason: string): number => {
    state = broken(reason);
    return 0;
  };

  return {
    feed: (bytes) => {
      let rest = bytes;
      while (state.kind === 'reading' && rest.length > 0) {
        const taken = bodyReader ? takeBody(bodyReader, rest) : takeHead(rest);
        rest = rest.subarray(taken);
        bytesTaken += taken;
        if (state.kind === 'reading' && bytesTaken > MAX_BYTES)
          fail(`the response has no end in its first ${MAX_BYTES} bytes`);
      }
    },
    end: () => {
      if (state.kind !== 'reading') return;
      const what = head ? 'before the end of the response' : 'before the response';
      state = bodyReader?.endsWithConnection ? DONE : broken(`the connection ended ${what}`);
    },
    state: () => state,
    statusCode: () => head?.code ?? 0,
    text: () => (head ? textOf(head, bodyBytes === 0 ? '' : `: ${body.text()}`) : ''),
  };
}

const textOf = ({ code, reason }: Head, rest: string): string =>
  `HTTP ${code}${reason === '' ? '' : ` ${reason}`}${rest}`;
