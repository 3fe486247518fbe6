/** Number of texts to remember: more than a damaged host has files, and little memory. */
const MAX_TEXTS = 1_000;

/** Passes each text on once. After a thousand different texts it forgets them and starts over. */
export function reportOnce(report: (text: string) => void): (text: string) => void {
  const reported = new Set<string>();
  return (text) => {
    if (reported.has(text)) return;
    if (reported.size >= MAX_TEXTS) reported.clear();
    reported.add(text);
    report(text);
  };
}
