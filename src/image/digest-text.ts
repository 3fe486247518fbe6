/** The only algorithm of containerd's content store. */
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The twelve characters of a digest or id that Docker shows. */
export function shortId(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}
