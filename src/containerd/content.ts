import { HealthctlError, hasCode } from '../lib/errors.ts';
import {
  ContentDefinition as Service,
  WriteAction,
  type WriteContentRequest,
  type WriteContentResponse,
} from './gen/containerd/content.ts';
import type { Rpc } from './rpc.ts';
import type { CallOptions, Duplex, Method } from './transport.ts';

interface ContentInfo {
  readonly digest: string;
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is to be written. */
interface Ingest {
  /** Names the write: one at a time per ref. */
  readonly ref: string;
  /** Bytes in all, when known. */
  readonly size?: number;
  /** Expected digest `sha256:…` of the whole, if known; a mismatch fails the commit. */
  readonly digest?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A blob being written to the content store. It ends with commit or abort. */
export interface ContentWriter {
  /** Bytes left by an earlier, interrupted write under the same ref. */
  readonly offset: number;
  /** Resolves when containerd has received the bytes: memory stays bounded. */
  write(bytes: Uint8Array): Promise<void>;
  /** @returns the digest. It is no error if the blob already exists. */
  commit(): Promise<string>;
  /** Drops the written data. Never throws. */
  abort(): Promise<void>;
  /** Keeps the written data, so that a later write under the same ref continues there. */
  suspend(): void;
}

/** Blobs by digest. */
export interface Content {
  find(digest: string, options?: CallOptions): Promise<ContentInfo | undefined>;
  list(filters?: readonly string[], options?: CallOptions): Promise<readonly ContentInfo[]>;
  /** A whole blob in memory. Throws CORRUPT when it is larger than maxBytes. */
  read(blob: { readonly digest: string; readonly maxBytes: number }, options?: CallOptions): Promise<Buffer>;
  /** A blob piece by piece, at the speed of its reader. */
  stream(digest: string, options?: CallOptions): AsyncIterable<Uint8Array>;
  setLabels(digest: string, labels: Readonly<Record<string, string>>, options?: CallOptions): Promise<void>;
  /** Undefined when the blob exists already. */
  openWriter(ingest: Ingest, options?: CallOptions): Promise<ContentWriter | undefined>;
  /** The refs of writes under way. */
  ingests(options?: CallOptions): Promise<readonly string[]>;
  abort(ref: string, options?: CallOptions): Promise<void>;
  delete(digest: string, options?: CallOptions): Promise<void>;
}

/** gRPC's usual limit for one message is 4 MiB. */
const CHUNK_BYTES = 1 << 20;

export function openContent(rpc: Rpc): Content {
  const m = Service.methods;
  const abort = async (ref: string, options?: CallOptions) => {
    await rpc.call(Service, m.abort, { ref }, options);
  };
  return {
    find: async (digest, options) => {
      try {
        return (await rpc.call(Service, m.info, { digest }, options)).info;
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND')) return undefined;
        throw error;
      }
    },
    list: async (filters = [], options) => {
      const all: ContentInfo[] = [];
      for await (const { info } of rpc.stream(Service, m.list, { filters: [...filters] }, options)) all.push(...info);
      return all;
    },
    read: async ({ digest, maxBytes }, options) => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const { data } of rpc.stream(Service, m.read, { digest, offset: 0, size: 0 }, options)) {
        size += data.length;
        if (size > maxBytes) throw new HealthctlError('CORRUPT', `${digest} is larger than ${maxBytes} bytes`);
        chunks.push(data);
      }
      return Buffer.concat(chunks);
    },
    stream: async function* (digest, options) {
      for await (const { data } of rpc.stream(Service, m.read, { digest, offset: 0, size: 0 }, options)) yield data;
    },
    setLabels: async (digest, labels, options) => {
      const paths = Object.keys(labels).map((key) => `labels.${key}`);
      await rpc.call(
        Service,
        m.update,
        { info: { digest, size: 0, labels: { ...labels } }, updateMask: paths },
        options,
      );
    },
    openWriter: (ingest, options) =>
      openWriter(rpc.duplex(Service, writeMethod(), options), ingest, () => abort(ingest.ref)),
    ingests: async (options) =>
      (await rpc.call(Service, m.listStatuses, { filters: [] }, options)).statuses.map(({ ref }) => ref),
    abort,
    delete: async (digest, options) => {
      await rpc.call(Service, m.delete, { digest }, options);
    },
  };
}

/**
 * `Write`, with messages encoded into one buffer for each writer: a message was received before the next one is encoded.
 * The generated code allocates three times the bytes for each, and collecting those is most of the cost of a load.
 */
function writeMethod(): Method<WriteContentRequest, WriteContentResponse> {
  const { write } = Service.methods;
  const scratch = { buffer: Buffer.alloc(0) };
  return {
    ...write,
    requestType: { encode: (request) => ({ finish: () => encodeWrite(request, scratch) }) },
  };
}

/** Field 6, length-delimited. */
const DATA_TAG = 0x32;
/** Of a length below 2^28. */
const MAX_LENGTH_BYTES = 4;

function encodeWrite(request: WriteContentRequest, scratch: { buffer: Buffer }): Uint8Array {
  const { data } = request;
  const head = Service.methods.write.requestType.encode({ ...request, data: Buffer.alloc(0) }).finish();
  if (data.length === 0) return head;
  const most = head.length + 1 + MAX_LENGTH_BYTES + data.length;
  if (scratch.buffer.length < most) scratch.buffer = Buffer.allocUnsafeSlow(most + head.length);
  const { buffer } = scratch;
  buffer.set(head);
  let at = head.length;
  buffer[at++] = DATA_TAG;
  for (let rest = data.length; ; rest >>>= 7) {
    buffer[at++] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80;
    if (rest < 0x80) break;
  }
  buffer.set(data, at);
  return buffer.subarray(0, at + data.length);
}

type Wire = Duplex<WriteContentRequest, WriteContentResponse>;

async function openWriter(
  wire: Wire,
  ingest: Ingest,
  abortIngest: () => Promise<void>,
): Promise<ContentWriter | undefined> {
  const { ref, size = 0, digest = '', labels = {} } = ingest;
  const base: WriteContentRequest = {
    action: WriteAction.STAT,
    ref,
    total: size,
    expected: digest,
    offset: 0,
    data: Buffer.alloc(0),
    labels: {},
  };
  const ask = async (request: WriteContentRequest): Promise<WriteContentResponse> => {
    // Not awaited: a message to a call that ends meanwhile is never received, and the answer reports that.
    void wire.send(request);
    const answer = await wire.receive();
    if (!answer) throw new HealthctlError('UNAVAILABLE', `containerd ended the write of ${ref}`);
    return answer;
  };
  let offset: number;
  try {
    ({ offset } = await ask(base));
  } catch (error) {
    wire.cancel();
    if (hasCode(error, 'ALREADY_EXISTS')) return undefined;
    throw error;
  }
  return {
    offset,
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        const data = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(CHUNK_BYTES, bytes.length - at));
        await ask({ ...base, action: WriteAction.WRITE, offset, data });
        offset += data.length;
      }
    },
    commit: async () => {
      try {
        const answer = await ask({
          ...base,
          action: WriteAction.COMMIT,
          total: size || offset,
          offset,
          labels: { ...labels },
        });
        wire.end();
        return answer.digest;
      } catch (error) {
        wire.cancel();
        if (!hasCode(error, 'ALREADY_EXISTS')) throw error;
        return digest || (/sha256:[0-9a-f]{64}/.exec(error.message)?.[0] ?? '');
      }
    },
    abort: async () => {
      wire.cancel();
      await abortIngest().catch(() => undefined); // an ingest that is already gone is fine; one that stays is collected
    },
    suspend: () => wire.cancel(),
  };
}
