/**
 * Number of streams that may be open before the peer has sent its limit. RFC 9113, section 6.5.2, sets no limit for
 * that time, and recommends that servers allow at least this many.
 */
const LIMIT_BEFORE_SETTINGS = 100;

/**
 * Keeps to SETTINGS_MAX_CONCURRENT_STREAMS of the peer: streams beyond it wait, in their order, until others have
 * ended.
 */
export interface StreamSlots<S> {
  readonly waiting: number;
  /** Begins the stream, now or later. */
  enter(stream: S): void;
  /** The stream has ended, or was cancelled. To be called once for each stream. */
  leave(stream: S): void;
  /**
   * The peer has sent SETTINGS. No effect on open streams.
   *
   * @param limit undefined if they contain none: an earlier limit stays
   */
  setLimit(limit: number | undefined): void;
  /** Removes all waiting streams. @returns them, the longest waiting first */
  drain(): readonly S[];
}

/** @param begin called when a stream has a slot */
export function createStreamSlots<S>(begin: (stream: S) => void): StreamSlots<S> {
  const waiting = new Set<S>();
  let limit: number | undefined;
  let hasSettings = false;
  let taken = 0;
  const fill = (): void => {
    for (const stream of waiting) {
      if (taken >= (limit ?? (hasSettings ? Number.POSITIVE_INFINITY : LIMIT_BEFORE_SETTINGS))) return;
      waiting.delete(stream);
      taken += 1;
      begin(stream);
    }
  };
  return {
    get waiting() {
      return waiting.size;
    },
    enter: (stream) => {
      waiting.add(stream);
      fill();
    },
    leave: (stream) => {
      if (waiting.delete(stream)) return;
      taken -= 1;
      fill();
    },
    setLimit: (next) => {
      limit = next ?? limit;
      hasSettings = true;
      fill();
    },
    drain: () => {
      const left = [...waiting];
      waiting.clear();
      taken += left.length; // each of them leaves
      return left;
    },
  };
}
