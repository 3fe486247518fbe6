import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { HealthctlError } from '../lib/errors.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { makeOwnDirectory, readOwnText, removeOwn } from '../system/own-file.ts';
import { findTool } from '../system/programs.ts';
import { runProgram } from '../system/run-program.ts';
import { type LockedNetworks, type NetworkContext, networkPathsOf } from './network-context.ts';
import { BRIDGE_PREFIX, type NetworkRecord } from './network-record.ts';
import { needTool } from './plugins.ts';
import type { PublishedPort } from './port-spec.ts';
import { portsOfPortmap } from './portmap-rules.ts';

/** The chains of one containerd's networks: two containerds on a host do not share any. */
interface Chains {
  readonly nat: string;
  readonly forward: string;
}

const chainsOf = (hostId: string): Chains => ({ nat: `HCTL-NAT-${hostId}`, forward: `HCTL-FWD-${hostId}` });

/**
 * The rules of all networks, for `iptables-restore --noflush`, which empties the chains that it names. A rule belongs
 * to a network, never to a container: so no container's end can leave one behind, and a start sets none.
 */
export function rulesFrom(hostId: string, networks: readonly NetworkRecord[]): string {
  return rulesOf(
    hostId,
    networks.map((network) => ({ network, subnet: network.subnet })),
  );
}

/** The same for `ip6tables-restore`, of the networks with IPv6. */
export function rules6From(hostId: string, networks: readonly NetworkRecord[]): string {
  return rulesOf(
    hostId,
    networks.flatMap((network) => (network.ipv6 ? [{ network, subnet: network.ipv6.subnet }] : [])),
  );
}

function rulesOf(
  hostId: string,
  networks: readonly { readonly network: NetworkRecord; readonly subnet: string }[],
): string {
  const { nat, forward } = chainsOf(hostId);
  return [
    '*nat',
    `:${nat} - [0:0]`,
    ...networks
      .filter(({ network }) => !network.internal && network.isMasqueraded !== false)
      .map(({ subnet, network: { bridge } }) => `-A ${nat} -s ${subnet} ! -o ${bridge} -j MASQUERADE`),
    'COMMIT',
    '*filter',
    `:${forward} - [0:0]`,
    ...[inwardRules, outwardRules].flatMap((rulesFor) =>
      networks.flatMap(({ network }) => rulesFor(network).map((rule) => `-A ${forward} ${rule}`)),
    ),
    'COMMIT',
    '',
  ].join('\n');
}

/**
 * Traffic into a network: from itself, answers, and published ports; nothing else, neither from another network of ours
 * nor by a route from outside.
 */
function inwardRules({ bridge, internal }: NetworkRecord): readonly string[] {
  const within = `-i ${bridge} -o ${bridge} -j ACCEPT`;
  if (internal) return [within, `-i ${bridge} -j DROP`, `-o ${bridge} -j DROP`];
  return [
    within,
    `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-o ${bridge} -m conntrack --ctstate DNAT -j ACCEPT`,
    `-o ${bridge} -j DROP`,
  ];
}

/** Traffic out of a network. After the rules of all networks: a bridge of ours may have any name. */
const outwardRules = ({ bridge, internal }: NetworkRecord): readonly string[] =>
  internal ? [] : [`-i ${bridge} ! -o ${BRIDGE_PREFIX}+ -j ACCEPT`];

/**
 * Sets the rules of these networks, if they were not set since the last boot, or the firewall was flushed. Throws
 * RUNTIME.
 */
export async function ensureRules(ctx: LockedNetworks, networks: readonly NetworkRecord[]): Promise<void> {
  const { hostId } = ctx.dirs;
  const { rules: markPath } = networkPathsOf(ctx.dirs);
  const before = readOwnText(markPath, ctx.dirs)?.trim() ?? '';
  const needs6 = networks.some(({ ipv6 }) => ipv6 !== undefined);
  const [rules, rules6] = [rulesFrom(hostId, networks), rules6From(hostId, networks)];
  const hash = createHash('sha256')
    .update(rules)
    .update(rules6)
    .update(readlinkSync('/proc/self/ns/net'))
    .digest('hex');
  const mark = needs6 ? `${hash} ${WITH_IPV6}` : hash;
  const families: readonly Family[] = needs6 ? [IPV4, IPV6] : [IPV4];
  const missing = await Promise.all(families.map((family) => missingJumps(ctx, family)));
  if (before === mark && missing.every((jumps) => jumps.length === 0)) return;
  for (const [index, family] of families.entries()) {
    await iptables(ctx, family.restore, ['--noflush', '--wait'], family === IPV4 ? rules : rules6);
    for (const jump of missing[index] ?? [])
      await changeJump(ctx, { family, jump, how: jump[1] === 'nat' ? '-A' : '-I' });
  }
  if (!needs6 && before.endsWith(WITH_IPV6)) await dropFamily(ctx, IPV6);
  makeOwnDirectory(dirname(markPath));
  replaceFile(markPath, `${mark}\n`);
}

interface Family {
  readonly program: 'iptables' | 'ip6tables';
  readonly restore: string;
}

const IPV4: Family = { program: 'iptables', restore: 'iptables-restore' };
const IPV6: Family = { program: 'ip6tables', restore: 'ip6tables-restore' };
/** In the file that says which rules are set. */
const WITH_IPV6 = 'ipv6';

const jumpsOf = (hostId: string): readonly Jump[] => {
  const { nat, forward } = chainsOf(hostId);
  return [
    ['-t', 'nat', 'POSTROUTING', nat],
    ['-t', 'filter', 'FORWARD', forward],
  ];
};

async function missingJumps(ctx: LockedNetworks, family: Family): Promise<readonly Jump[]> {
  const jumps = jumpsOf(ctx.dirs.hostId);
  const are = await Promise.all(jumps.map((jump) => hasJump(ctx, family, jump)));
  return jumps.filter((_, index) => !are[index]);
}

/** Removes our chains, when the last network is gone. */
export async function dropRules(ctx: LockedNetworks): Promise<void> {
  const { rules: markPath } = networkPathsOf(ctx.dirs);
  const hasIpv6 = readOwnText(markPath, ctx.dirs)?.trim().endsWith(WITH_IPV6) === true;
  for (const family of hasIpv6 ? [IPV4, IPV6] : [IPV4]) await dropFamily(ctx, family);
  removeOwn(markPath);
}

async function dropFamily(ctx: LockedNetworks, family: Family): Promise<void> {
  for (const jump of jumpsOf(ctx.dirs.hostId)) {
    if (await hasJump(ctx, family, jump)) await changeJump(ctx, { family, jump, how: '-D' });
    const [, table, , chain] = jump;
    for (const command of ['-F', '-X']) await tryIptables(ctx, ['--wait', '-t', table, command, chain], family);
  }
}

/** Our rules that the kernel has now. */
export interface PresentRules {
  readonly chains: readonly string[];
  /** The bridges in the rules: also of networks whose records are lost. */
  readonly bridges: readonly string[];
}

/** Empty if iptables is not installed. */
export async function readPresentRules(ctx: NetworkContext): Promise<PresentRules> {
  const file = findTool('iptables');
  if (file === undefined) return { chains: [], bridges: [] };
  const { nat, forward } = chainsOf(ctx.dirs.hostId);
  const list = (table: string, chain: string) => runProgram(ctx, { file, args: ['--wait', '-t', table, '-S', chain] });
  const [inNat, inFilter] = [await list('nat', nat), await list('filter', forward)];
  const bridges = [...inFilter.stdout.matchAll(/ -[io] (\S+)/g)].map(([, name = '']) => name);
  return {
    chains: [...(inNat.code === 0 ? [nat] : []), ...(inFilter.code === 0 ? [forward] : [])],
    bridges: [...new Set(bridges)].filter((name) => name.startsWith(BRIDGE_PREFIX) && !name.endsWith('+')),
  };
}

/** All forwarded ports of this host: see portsOfPortmap. Throws RUNTIME. */
export async function readForwardedPorts(ctx: LockedNetworks): Promise<readonly PublishedPort[]> {
  const { code, stdout, stderr } = await tryIptables(ctx, ['--wait', '-t', 'nat', '-S']);
  if (code !== 0) throw failure('iptables', code, stderr);
  return portsOfPortmap(stdout);
}

type Jump = readonly ['-t', 'nat' | 'filter', 'POSTROUTING' | 'FORWARD', string];

async function hasJump(ctx: LockedNetworks, family: Family, [, table, chain, target]: Jump): Promise<boolean> {
  return (await tryIptables(ctx, ['--wait', '-t', table, '-C', chain, '-j', target], family)).code === 0;
}

async function changeJump(
  ctx: LockedNetworks,
  change: { readonly family: Family; readonly jump: Jump; readonly how: '-A' | '-I' | '-D' },
): Promise<void> {
  const [, table, chain, target] = change.jump;
  await iptables(ctx, change.family.program, ['--wait', '-t', table, change.how, chain, '-j', target]);
}

/** For a query whose negative answer is an exit status. */
function tryIptables(ctx: LockedNetworks, args: readonly string[], { program }: Family = IPV4) {
  return runProgram(ctx, { file: needTool(program, 'iptables'), args });
}

async function iptables(ctx: LockedNetworks, name: string, args: readonly string[], stdin = ''): Promise<void> {
  const { code, stderr } = await runProgram(ctx, { file: needTool(name, 'iptables'), args, stdin });
  if (code !== 0) throw failure(name, code, stderr);
}

function failure(name: string, code: number, stderr: string): HealthctlError {
  const reason = stderr.trim().split('\n')[0] || `exit status ${code}`;
  return new HealthctlError('RUNTIME', `${name} failed: ${reason}`, {
    hint: 'the rules of bridge networks could not be set: it needs root, and the kernel netfilter',
  });
}
