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
  const { nat, forward } = chainsOf(hostId);
  return [
    '*nat',
    `:${nat} - [0:0]`,
    ...networks
      .filter(({ internal }) => !internal)
      .map(({ subnet, bridge }) => `-A ${nat} -s ${subnet} ! -o ${bridge} -j MASQUERADE`),
    'COMMIT',
    '*filter',
    `:${forward} - [0:0]`,
    ...networks.flatMap((network) => forwardRules(network).map((rule) => `-A ${forward} ${rule}`)),
    'COMMIT',
    '',
  ].join('\n');
}

/**
 * Allows traffic within the network, answers, published ports, and traffic out; nothing else in, neither from another
 * network of ours nor by a route from outside.
 */
function forwardRules({ bridge, internal }: NetworkRecord): readonly string[] {
  const within = `-i ${bridge} -o ${bridge} -j ACCEPT`;
  if (internal) return [within, `-i ${bridge} -j DROP`, `-o ${bridge} -j DROP`];
  return [
    within,
    `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-o ${bridge} -m conntrack --ctstate DNAT -j ACCEPT`,
    `-o ${bridge} -j DROP`,
    `-i ${bridge} ! -o ${BRIDGE_PREFIX}+ -j ACCEPT`,
  ];
}

/**
 * Sets the rules of these networks, if they were not set since the last boot, or the firewall was flushed. Throws
 * RUNTIME.
 */
export async function ensureRules(ctx: LockedNetworks, networks: readonly NetworkRecord[]): Promise<void> {
  const { hostId } = ctx.dirs;
  const { rules: markPath } = networkPathsOf(ctx.dirs);
  const rules = rulesFrom(hostId, networks);
  const mark = createHash('sha256').update(rules).update(readlinkSync('/proc/self/ns/net')).digest('hex');
  const { nat, forward } = chainsOf(hostId);
  const natJump = ['-t', 'nat', 'POSTROUTING', nat] as const;
  const forwardJump = ['-t', 'filter', 'FORWARD', forward] as const;
  const [hasNat, hasForward] = await Promise.all([hasJump(ctx, natJump), hasJump(ctx, forwardJump)]);
  if (readOwnText(markPath, ctx.dirs)?.trim() === mark && hasNat && hasForward) return;
  await iptables(ctx, 'iptables-restore', ['--noflush', '--wait'], rules);
  if (!hasNat) await changeJump(ctx, '-A', natJump);
  if (!hasForward) await changeJump(ctx, '-I', forwardJump);
  makeOwnDirectory(dirname(markPath));
  replaceFile(markPath, `${mark}\n`);
}

/** Removes our chains, when the last network is gone. */
export async function dropRules(ctx: LockedNetworks): Promise<void> {
  const { nat, forward } = chainsOf(ctx.dirs.hostId);
  for (const jump of [
    ['-t', 'nat', 'POSTROUTING', nat],
    ['-t', 'filter', 'FORWARD', forward],
  ] as const) {
    if (await hasJump(ctx, jump)) await changeJump(ctx, '-D', jump);
    const [, table, , chain] = jump;
    for (const command of ['-F', '-X']) await tryIptables(ctx, ['--wait', '-t', table, command, chain]);
  }
  removeOwn(networkPathsOf(ctx.dirs).rules);
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

async function hasJump(ctx: LockedNetworks, [, table, chain, target]: Jump): Promise<boolean> {
  return (await tryIptables(ctx, ['--wait', '-t', table, '-C', chain, '-j', target])).code === 0;
}

async function changeJump(ctx: LockedNetworks, how: '-A' | '-I' | '-D', [, table, chain, target]: Jump): Promise<void> {
  await iptables(ctx, 'iptables', ['--wait', '-t', table, how, chain, '-j', target]);
}

/** For a query whose negative answer is an exit status. */
function tryIptables(ctx: LockedNetworks, args: readonly string[]) {
  return runProgram(ctx, { file: needTool('iptables', 'iptables'), args });
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
