/** `1 event`, `2 events`, `0 events`. @param word in the singular; its plural gets an s unless given */
export function counted(count: number, word: string, plural = `${word}s`): string {
  return `${count} ${count === 1 ? word : plural}`;
}
