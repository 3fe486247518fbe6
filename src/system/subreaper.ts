import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { type Libc, openLibc, systemError } from './libc.ts';
import { readStat } from './proc.ts';

/** ptrace(2), prctl(2), waitpid(2). */
const PTRACE = { GETREGS: 12, SETREGS: 13, DETACH: 17, SYSCALL: 24, SEIZE: 0x4206, INTERRUPT: 0x4207 } as const;
const PTRACE_O_TRACESYSGOOD = 1;
/** The signal of a stop at the beginning or end of a system call, with that option. */
const SYSCALL_STOP = 0x85;
const WNOHANG = 1;
const WALL = 0x40000000;
const PR_SET_CHILD_SUBREAPER = 36n;

/** `struct user_regs_struct` of x86-64: 27 numbers of 8 bytes; the ones used here, by offset. */
const REGISTERS_SIZE = 27 * 8;
const REGISTER = { arg4: 7, result: 10, arg3: 12, arg2: 13, arg1: 14, systemCall: 15, instruction: 16 } as const;
const SYS_PRCTL = 157n;
/** Length of `syscall`, the instruction before the one the process is at. */
const INSTRUCTION_SIZE = 2n;
/**
 * The kernel's internal error numbers for a call to restart: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND,
 * ERESTART_RESTARTBLOCK.
 */
const RESTARTS = [-512n, -513n, -514n, -516n];

/** A stop comes within microseconds, unless the process is frozen. */
const QUICK_LOOKS = 200;
const STOP_LIMIT_MS = 1_000;
const STOP_POLL_MS = 1;
const DEATH_POLL_MS = 100;

/**
 * Makes a process that waits in a system call a subreaper: orphaned descendants then become its children, rather than
 * those of the first process of its PID namespace, which in a container often reaps nothing. The process is stopped for
 * some 100 µs, in which its call is replaced by prctl(2); then it repeats the call.
 *
 * @returns whether it is one; false on machines other than x86-64, and if tracing is not allowed. A process that does
 *   not stop within a second is killed
 */
export async function makeSubreaper(pid: number, clock: Pick<Clock, 'sleep'>): Promise<boolean> {
  if (process.arch !== 'x64' || !(await sleeps(pid, clock))) return false;
  const tracer = tracerOf(openLibc(), pid, clock);
  if (!tracer.seize()) return false;
  try {
    await tracer.interrupt();
    const made = await callPrctl(tracer);
    tracer.detach();
    return made;
  } catch (error) {
    tracer.kill();
    if (errnoOf(error) === 'ESRCH' || errnoOf(error) === 'ETIMEDOUT') return false;
    throw error;
  }
}

async function sleeps(pid: number, clock: Pick<Clock, 'sleep'>): Promise<boolean> {
  for (let restMs = STOP_LIMIT_MS; restMs > 0; restMs -= STOP_POLL_MS) {
    const state = readStat(pid)?.state;
    if (state !== 'R') return state === 'S';
    await clock.sleep(STOP_POLL_MS);
  }
  return false;
}

/** The process is stopped, interrupted in a system call, and so just after this instruction. */
async function callPrctl(tracer: Tracer): Promise<boolean> {
  const before = tracer.registers();
  const call = valueIn(before, 'systemCall');
  if (call < 0n || !RESTARTS.includes(valueIn(before, 'result'))) return false;
  const restarted = changed(before, {
    systemCall: -1n, // the kernel must not restart it as well
    result: call,
    instruction: valueIn(before, 'instruction') - INSTRUCTION_SIZE,
  });
  tracer.setRegisters(
    changed(restarted, { result: SYS_PRCTL, arg1: PR_SET_CHILD_SUBREAPER, arg2: 1n, arg3: 0n, arg4: 0n }),
  );
  await tracer.toSyscallStop(); // it begins
  await tracer.toSyscallStop(); // it is over
  const result = valueIn(tracer.registers(), 'result');
  tracer.setRegisters(restarted);
  return result === 0n;
}

const valueIn = (registers: Buffer, name: keyof typeof REGISTER): bigint =>
  registers.readBigInt64LE(REGISTER[name] * 8);

function changed(from: Buffer, values: { readonly [N in keyof typeof REGISTER]?: bigint }): Buffer {
  const registers = Buffer.from(from);
  for (const [name, index] of Object.entries(REGISTER)) {
    const value = values[name as keyof typeof REGISTER];
    if (value !== undefined) registers.writeBigInt64LE(value, index * 8);
  }
  return registers;
}

type Tracer = ReturnType<typeof tracerOf>;

function tracerOf(libc: Libc, pid: number, clock: Pick<Clock, 'sleep'>) {
  const withNumber = libc.func('long ptrace(long request, int pid, intptr_t address, intptr_t data)');
  const withBuffer = libc.func('long ptrace(long request, int pid, intptr_t address, void *data)');
  const waitpid = libc.func('int waitpid(int pid, void *status, int options)');
  const status = Buffer.alloc(4);
  const succeeded = (result: number): void => {
    if (result === -1) throw systemError(libc, 'ptrace');
  };
  const waitForStop = async (): Promise<void> => {
    for (let look = 0; look < QUICK_LOOKS + STOP_LIMIT_MS / STOP_POLL_MS; look += 1) {
      const found = waitpid(pid, status, WNOHANG | WALL);
      if (found === -1) throw systemError(libc, 'waitpid');
      if (found === pid && (status.readInt32LE() & 0xff) === 0x7f) return;
      if (found === pid) throw codedError('ESRCH');
      if (look >= QUICK_LOOKS) await clock.sleep(STOP_POLL_MS);
    }
    throw codedError('ETIMEDOUT');
  };
  const registers = (): Buffer => {
    const all = Buffer.alloc(REGISTERS_SIZE);
    succeeded(withBuffer(PTRACE.GETREGS, pid, 0, all));
    return all;
  };
  return {
    registers,
    setRegisters: (all: Buffer): void => succeeded(withBuffer(PTRACE.SETREGS, pid, 0, all)),
    seize: (): boolean => withNumber(PTRACE.SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) !== -1,
    interrupt: async (): Promise<void> => {
      succeeded(withNumber(PTRACE.INTERRUPT, pid, 0, 0));
      await waitForStop();
    },
    /** Continues it to the beginning or end of a system call; signals that arrive in between are delivered. */
    toSyscallStop: async (): Promise<void> => {
      let signal = 0;
      do {
        succeeded(withNumber(PTRACE.SYSCALL, pid, 0, signal));
        await waitForStop();
        const isEvent = status.readInt32LE() >> 16 !== 0;
        signal = isEvent ? 0 : (status.readInt32LE() >> 8) & 0xff;
      } while (signal !== SYSCALL_STOP);
    },
    detach: (): void => succeeded(withNumber(PTRACE.DETACH, pid, 0, 0)),
    /** Kills it. Its parent is notified of the end of a traced process only after its tracer. */
    kill: (): void => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (errnoOf(error) !== 'ESRCH') throw error;
      }
      const untilGone = async (): Promise<void> => {
        while (waitpid(pid, status, WNOHANG | WALL) === 0) await clock.sleep(DEATH_POLL_MS);
      };
      void untilGone();
    },
  };
}

const codedError = (code: string): Error => Object.assign(new Error(`${code}: ptrace`), { code });
