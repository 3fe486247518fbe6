import type { HostFinding } from '../../doctor/finding.ts';
import type { GoValue } from '../../go/template/template.ts';
import { printableLine } from '../../lib/printable.ts';
import { plainValue } from './plain-value.ts';

/** A line for each finding: `warning  systemd  it does not … -> install the unit: …`. */
export function doctorLines(findings: readonly HostFinding[]): string {
  const width = Math.max(0, ...findings.map(({ name }) => name.length));
  return findings
    .map(({ status, name, what, remedy }) => {
      const text = remedy === undefined ? what : `${what} -> ${remedy}`;
      return `${status.padEnd(7)}  ${name.padEnd(width)}  ${printableLine(text)}\n`;
    })
    .join('');
}

/** For `--format`. */
export function doctorValue(findings: readonly HostFinding[]): GoValue {
  const worst = (['error', 'warning'] as const).find((status) => findings.some((finding) => finding.status === status));
  return plainValue({
    Status: worst ?? 'ok',
    Checks: findings.map(({ status, name, what, remedy = '' }) => ({
      ...{ Status: status, Name: name, What: what, Remedy: remedy },
    })),
  });
}
