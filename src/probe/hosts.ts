/** The addresses of a name in the text of an `/etc/hosts` (hosts(5)), in the order of the file. */
export function addressesInHosts(text: string, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/s, '').trim().split(/\s+/);
    return names.some((candidate) => candidate.toLowerCase() === wanted) ? [address] : [];
  });
}
