import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HostEntry, hostsText, withEntries } from './hosts-file.ts';

const web: HostEntry = { address: '10.80.0.2', names: ['web', 'www'] };
const db: HostEntry = { address: '10.80.0.3', names: ['db'] };

describe('the hosts file', () => {
  test("a new file has localhost and the container's own names", () => {
    const lines = hostsText([web]).split('\n');
    expect(lines[0]).toBe('127.0.0.1\tlocalhost');
    expect(lines).toContain('10.80.0.2\tweb www');
  });

  test('an update keeps what the container wrote before and after our block', () => {
    const text = `# mine\n${hostsText([web])}192.0.2.1 other\n`;
    const renewed = withEntries(text, [db]);
    expect(renewed).toMatch(/^# mine\n/);
    expect(renewed).toMatch(/\n192\.0\.2\.1 other\n$/);
    expect(renewed).toContain('\n10.80.0.3\tdb\n');
    expect(renewed).not.toContain('web');
  });

  test('without entries there is no block; new entries are added at the end', () => {
    const bare = withEntries(hostsText([web]), []);
    expect(bare).toBe(hostsText([]));
    expect(withEntries(bare, [web])).toBe(hostsText([web]));
  });

  test('a name cannot create a line of its own', () => {
    expect(hostsText([{ address: '10.0.0.1', names: ['a\n6.6.6.6 bank.example', 'b'] }])).toContain('10.0.0.1\tb\n');
    expect(hostsText([{ address: '10.0.0.1', names: ['a b', '#'] }])).toBe(hostsText([]));
  });

  test('two updates equal one, whatever the file contains', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const once = withEntries(text, [web, db]);
        expect(withEntries(once, [web, db])).toBe(once);
        expect(once.match(/10\.80\.0\.2\tweb www/g)).toHaveLength(1);
      }),
    );
  });
});
