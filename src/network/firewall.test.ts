import { expect, test } from 'vitest';
import { rules6From, rulesFrom } from './firewall.ts';
import type { NetworkRecord } from './network-record.ts';

const network = (what: Partial<NetworkRecord>): NetworkRecord => ({
  id: 'x',
  name: 'app',
  created: '2026-01-01T00:00:00Z',
  subnet: '10.80.16.0/20',
  gateway: '10.80.16.1',
  bridge: 'hctl-1234567890',
  internal: false,
  labels: {},
  ...what,
});

test('a network masquerades outgoing connections; only answers and published ports come in', () => {
  const rules = rulesFrom('abc', [network({})]).split('\n');
  expect(rules).toContain('-A HCTL-NAT-abc -s 10.80.16.0/20 ! -o hctl-1234567890 -j MASQUERADE');
  const forward = rules.filter((rule) => rule.startsWith('-A HCTL-FWD-abc'));
  const drop = forward.findIndex((rule) => rule.endsWith(' -o hctl-1234567890 -j DROP'));
  const answers = forward.findIndex((rule) => rule.includes('ESTABLISHED'));
  expect(answers).toBeGreaterThanOrEqual(0);
  expect(drop).toBeGreaterThan(answers);
  expect(drop).toBeGreaterThan(forward.findIndex((rule) => rule.includes('DNAT')));
});

test('an internal network has no way out', () => {
  const rules = rulesFrom('abc', [network({ internal: true })]);
  expect(rules).not.toContain('MASQUERADE');
  expect(rules).toContain('-A HCTL-FWD-abc -i hctl-1234567890 -j DROP');
});

test('without networks the chains are empty', () => {
  expect(rulesFrom('abc', []).match(/^-A/gm)).toBeNull();
});

test("names of bridges and chains are within the kernel's limit", () => {
  const chains = [...rulesFrom('1935db59', []).matchAll(/^:(\S+)/gm)].map(([, name = '']) => name.length);
  expect(Math.max(...chains)).toBeLessThanOrEqual(28);
});

test('IPv6: the same rules, for the networks that have it', () => {
  const dual = network({ ipv6: { subnet: 'fd00:1::/64', gateway: 'fd00:1::1' } });
  const rules = rules6From('cafe', [dual, network({ name: 'plain', bridge: 'hctl-plain' })]);
  expect(rules).toContain('-A HCTL-NAT-cafe -s fd00:1::/64 ! -o hctl-1234567890 -j MASQUERADE');
  expect(rules).toContain('-A HCTL-FWD-cafe -o hctl-1234567890 -j DROP');
  expect(rules).not.toContain('hctl-plain');
});
