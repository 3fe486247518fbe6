/** Texts that are remembered: more than there are files on a damaged host, and little memory. */
const MAX_TEXTS = 1_000;

/** Passes each text on once. After a thousand different ones it forgets them and begins anew. */
export function tellOnce(tell: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (told.has(text)) return;
    if (told.size >= MAX_TEXTS) told.clear();
    told.add(text);
    tell(text);
  };
}
