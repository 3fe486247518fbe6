import { printableLine } from '../../lib/printable.ts';

/** A title and lines of ` Name:    value`, values below each other; lists are joined by a space. */
export function section(title: string, rows: Readonly<Record<string, string | number | readonly string[]>>): string {
  const width = Math.max(18, ...Object.keys(rows).map((name) => name.length + 1));
  const lines = Object.entries(rows).map(([name, value]) => {
    const text = printableLine(typeof value === 'object' ? value.join(' ') : `${value}`);
    return ` ${`${name}:`.padEnd(width)} ${text}`.trimEnd();
  });
  return `${[title, ...lines].join('\n')}\n`;
}
