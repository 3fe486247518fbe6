import type { Duplex } from 'node:stream';

/** What a probe writes to and reads from, with or without TLS. */
export interface Channel {
  readonly stream: Duplex;
  /** An error of the stream in words. */
  reasonOf(error: Error): string;
  /** Words for an end before a single byte of an answer. @param reason what was seen of it */
  explainMute(reason: string): Promise<string>;
}

/** What is to be spoken. */
export type Protocol = 'HTTP/1.1' | 'gRPC';

/** Said of a server that answers in TLS, or only to TLS. */
export const SPEAKS_TLS = 'the server speaks TLS, and was asked without it';
