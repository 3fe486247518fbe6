import { createBoundedOutput } from './bounded-output.ts';

/** Output that ends at an unguessable marker. */
export interface MarkedOutput {
  add(bytes: Buffer): void;
  /** Resolves when the marker was the last input. Everything before it is the output. */
  endAt(mark: string): Promise<void>;
  /** The output so far, without the marker: see BoundedOutput. */
  text(): string;
}

export function createMarkedOutput(): MarkedOutput {
  const kept = createBoundedOutput();
  let mark: Buffer | undefined;
  let resolveEnd = (): void => {};
  /** Held back: it may be the beginning of the marker. */
  let rest = Buffer.alloc(0);
  let flushed: string | undefined;
  return {
    add: (bytes) => {
      if (!mark) return kept.add(bytes);
      const all = Buffer.concat([rest, bytes]);
      const at = Math.max(0, all.length - mark.length);
      kept.add(all.subarray(0, at));
      rest = all.subarray(at);
      if (!rest.equals(mark)) return;
      flushed = kept.text();
      resolveEnd();
    },
    endAt: (text) => {
      mark = Buffer.from(text);
      return new Promise((resolve) => {
        resolveEnd = resolve;
      });
    },
    text: () => {
      if (flushed !== undefined) return flushed;
      kept.add(rest);
      rest = Buffer.alloc(0);
      return kept.text();
    },
  };
}
