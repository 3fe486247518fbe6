/**
 * Text for man pages (roff). Escapes characters that roff would interpret; for example, a dash stays a dash that can be
 * copied.
 */
export function roff(text: string): string {
  return text.replace(/[\\'`^~"-]/g, (letter) => ESCAPES[letter] ?? letter).replace(/^\./gm, '\\&.');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq',
  '-': '\\-',
};

export const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
export const italic = (text: string): string => `\\fI${roff(text)}\\fR`;

/** A paragraph with an indented text: `.TP`. */
export const tagged = (tag: string, text: string): string => `.TP\n${tag}\n${text}`;

export const section = (title: string, body: string): string => (body === '' ? '' : `.SH ${title}\n${body}`);

/** @param seconds since the epoch */
export function page(
  name: string,
  about: { readonly version: string; readonly seconds: number },
  sections: readonly string[],
): string {
  const date = new Date(about.seconds * 1000).toISOString().slice(0, 10);
  const head = `.TH ${roff(name.toUpperCase())} 1 ${date} "healthctl ${about.version}" "healthctl"`;
  return `${[head, '.nh', '.ad l', ...sections.filter((text) => text !== '')].join('\n')}\n`;
}
