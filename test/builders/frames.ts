/** What the frames of an answer of Docker's API contain. Throws for a torn frame, and one of an unknown stream. */
export function decodeFrames(bytes: Buffer): {
  readonly stdout: string;
  readonly stderr: string;
  readonly count: number;
} {
  const streams: Record<number, Buffer[]> = { 1: [], 2: [] };
  let count = 0;
  for (let at = 0; at < bytes.length; count += 1) {
    const [number, length] = [bytes.readUInt8(at), bytes.readUInt32BE(at + 4)];
    const payload = bytes.subarray(at + 8, at + 8 + length);
    const stream = streams[number];
    if (!stream || payload.length !== length) throw new Error(`not a whole frame of ${length} bytes at ${at}`);
    stream.push(payload);
    at += 8 + length;
  }
  const textOf = (number: number): string => Buffer.concat(streams[number] ?? []).toString('utf8');
  return { stdout: textOf(1), stderr: textOf(2), count };
}
