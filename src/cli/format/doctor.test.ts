import { expect, test } from 'vitest';
import { golden } from '../../../test/golden/golden.ts';
import { error, ok, warning } from '../../doctor/finding.ts';
import { doctorLines, doctorValue } from './doctor.ts';
import { renderSingle } from './single.ts';

const findings = [
  ok('kernel', 'Linux 6.1.0'),
  error('containerd', 'there is no socket at /c.sock', 'start containerd'),
  warning('nerdctl timers', 'not looked at: \x1b[31m'),
];

test('prints a line for each finding', () => {
  const lines = doctorLines(findings);
  expect(lines).toBe(golden('screens/doctor.txt', lines));
  expect(doctorLines([])).toBe('');
});

test('prints a document with the worst status', () => {
  const show = (format: string) => renderSingle(doctorValue(findings), format);
  expect(show('{{.Status}}{{range .Checks}} {{.Name}}={{.Status}}{{end}}')).toBe(
    'error kernel=ok containerd=error nerdctl timers=warning\n',
  );
  expect(show('{{(index .Checks 1).What}}: {{(index .Checks 1).Remedy}}|{{(index .Checks 0).Remedy}}')).toBe(
    'there is no socket at /c.sock: start containerd|\n',
  );
  expect(renderSingle(doctorValue(findings.slice(0, 1)), '{{.Status}}')).toBe('ok\n');
});
