import { HealthctlError } from '../lib/errors.ts';

/**
 * The fields of one line of CSV: `a,"b,c",d`; `""` in quotes is a quote. Throws USAGE with the texts of Go's
 * encoding/csv, which Docker shows.
 */
export function parseCsvLine(line: string): readonly string[] {
  if (line === '') throw new HealthctlError('USAGE', 'EOF');
  const fields: string[] = [];
  let rest: string | undefined = line;
  while (rest !== undefined) {
    const column: number = line.length - rest.length + 1;
    const quoted: RegExpExecArray | null = /^"((?:[^"]|"")*)"(?:,|$)/s.exec(rest);
    const plain: RegExpExecArray | null = /^([^",][^",]*)?(?:,|$)/s.exec(rest);
    const found: RegExpExecArray | null = quoted ?? plain;
    if (found === null) throw malformed(column, rest);
    fields.push(quoted === null ? (found[1] ?? '') : (found[1] ?? '').replaceAll('""', '"'));
    rest = found[0].length < rest.length || found[0].endsWith(',') ? rest.slice(found[0].length) : undefined;
  }
  return fields;
}

function malformed(column: number, rest: string): HealthctlError {
  const reason = rest.startsWith('"') ? 'extraneous or missing " in quoted-field' : 'bare " in non-quoted-field';
  const at = rest.startsWith('"') ? column : column + Math.max(rest.indexOf('"'), 0);
  return new HealthctlError('USAGE', `parse error on line 1, column ${at}: ${reason}`);
}
