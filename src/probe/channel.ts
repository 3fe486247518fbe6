import type { Duplex } from 'node:stream';

/** A stream to a server, with or without TLS. */
export interface Channel {
  readonly stream: Duplex;
  /** Describes an error of the stream. */
  reasonOf(error: Error): string;
  /** Describes a connection that ended before any byte of an answer. @param reason what was observed */
  explainMute(reason: string): Promise<string>;
}

/** The protocol to speak. */
export type Protocol = 'HTTP/1.1' | 'gRPC';

/** For a server that answers in TLS, or only to TLS. */
export const SPEAKS_TLS = 'the server speaks TLS, and was asked without it';
