import { HealthctlError } from '../lib/errors.ts';

/** Linux signals by number on every architecture but MIPS, SPARC and PA-RISC. */
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
};
export const SIGNAL_NAMES: readonly string[] = Object.keys(NUMBERS);

/** Of the C libraries, which keep 32 and 33 for themselves. */
const RTMIN = 34;
const RTMAX = 64;

/**
 * The number of a signal: `SIGTERM`, `TERM`, `term`, `15`, `RTMIN+3`, `RTMAX-1` (moby/sys signal.ParseSignal).
 * Throws USAGE with Docker's texts, e.g. `invalid signal: x`.
 */
export function parseSignal(text: string): number {
  const number = /^\+?\d{1,9}$/.test(text) ? Number(text) : signalByName(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined || number < 1) throw new HealthctlError('USAGE', `invalid signal: ${text}`);
  if (number > RTMAX) throw new HealthctlError('USAGE', `the linux daemon does not support signal ${number}`);
  return number;
}

function signalByName(name: string): number | undefined {
  if (Object.hasOwn(NUMBERS, name)) return NUMBERS[name];
  const [, base, offset = '0'] = /^(RTMIN(?=$|\+)|RTMAX(?=$|-))(?:[+-]([1-9]\d?))?$/.exec(name) ?? [];
  if (base === undefined) return undefined;
  const number = base === 'RTMIN' ? RTMIN + Number(offset) : RTMAX - Number(offset);
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}
