import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { IS_LITTLE } from '../../src/system/host-number.ts';
import { openLibc, systemError } from '../../src/system/libc.ts';
import { int64, withNativeCopy } from '../../src/system/native-memory.ts';
import { openNotifier } from '../../src/system/sd-notify.ts';

// With a datagram socket like systemd's.

const dir = mkdtempSync(join(tmpdir(), 'healthctl-notify-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Receiver extends Disposable {
  /** The messages so far, in order, that were not taken yet. */
  take(): string[];
  /** The next message, and the descriptor that it has passed. */
  takeWithDescriptor(): { text: string; fd: number };
}

/** @param name a path, or `@name` in the abstract namespace */
function listen(name: string): Receiver {
  const libc = openLibc();
  const must = (what: string, value: number): number => {
    if (value < 0) throw systemError(libc, what);
    return value;
  };
  const fd = must('socket', libc.func('int socket(int domain, int type, int protocol)')(1, 2, 0));
  const path = name.startsWith('@') ? Buffer.from(`\0${name.slice(1)}`) : Buffer.from(`${name}\0`);
  const address = Buffer.concat([Buffer.from([1, 0]), path]);
  must('bind', libc.func('int bind(int fd, const void *address, unsigned int length)')(fd, address, address.length));
  const receive = libc.func('long recv(int fd, void *bytes, unsigned long size, int flags)');
  const MSG_DONTWAIT = 0x40;
  return {
    take: () => {
      const messages: string[] = [];
      for (;;) {
        const bytes = Buffer.alloc(4096);
        const count = receive(fd, bytes, bytes.length, MSG_DONTWAIT);
        if (count < 0) return messages;
        messages.push(bytes.toString('utf8', 0, Number(count)));
      }
    },
    takeWithDescriptor: () => receiveMessage(fd),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** recvmsg(2): a `struct msghdr` of 56 bytes, its `struct iovec`, 24 bytes for one descriptor, 256 for the text. */
function receiveMessage(socket: number): { text: string; fd: number } {
  const libc = openLibc();
  const size = 56 + 16 + 24 + 256;
  const bytesAt = (address: bigint): Buffer =>
    Buffer.concat([
      ...[int64(0n), int64(0n), int64(address + 56n), int64(1n), int64(address + 72n), int64(24n), int64(0n)],
      ...[int64(address + 96n), int64(256n), Buffer.alloc(24 + 256)],
    ]);
  return withNativeCopy(libc, { size, bytesAt }, (address) => {
    const count = Number(libc.func('long recvmsg(int fd, uintptr_t message, int flags)')(socket, address, 0));
    const bytes = Buffer.alloc(size);
    libc.func('uintptr_t memcpy(void *target, uintptr_t source, size_t size)')(bytes, address, size);
    const fd = IS_LITTLE ? bytes.readInt32LE(72 + 16) : bytes.readInt32BE(72 + 16);
    return { text: bytes.toString('utf8', 96, 96 + count), fd };
  });
}

describe('notifying systemd', () => {
  test.each([join(dir, 'notify.sock'), `@healthctl-notify-${process.pid}`])('works on %s', (socket) => {
    using receiver = listen(socket);
    const notifier = openNotifier({ NOTIFY_SOCKET: socket });
    notifier.ready();
    notifier.status('watches\n3 containers\nREADY=1');
    notifier.watchdog();
    notifier.stopping();
    expect(receiver.take()).toEqual(['READY=1', 'STATUS=watches 3 containers READY=1', 'WATCHDOG=1', 'STOPPING=1']);
  });

  test('passes a descriptor to be kept, and has it dropped', () => {
    const socket = join(dir, 'store.sock');
    using receiver = listen(socket);
    const notifier = openNotifier({ NOTIFY_SOCKET: socket });
    const kept = openSync(join(dir, 'kept'), 'w');
    notifier.storeDescriptor('kept/a', kept);
    closeSync(kept);
    const { text, fd } = receiver.takeWithDescriptor();
    expect(text).toBe('FDSTORE=1\nFDNAME=kept/a\nFDPOLL=0');
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(join(dir, 'kept'));
    closeSync(fd);
    notifier.dropDescriptor('kept/a');
    expect(receiver.take()).toEqual(['FDSTOREREMOVE=1\nFDNAME=kept/a']);
  });

  test('leaves no descriptor', () => {
    const socket = join(dir, 'count.sock');
    using receiver = listen(socket);
    const notifier = openNotifier({ NOTIFY_SOCKET: socket });
    notifier.ready();
    const before = readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 50; count += 1) {
      notifier.watchdog();
      receiver.take();
    }
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  test('does not wait for a reader that does not read', () => {
    const socket = join(dir, 'slow.sock');
    using receiver = listen(socket);
    const notifier = openNotifier({ NOTIFY_SOCKET: socket });
    // More than the queue can hold: if a call waited, this would never end.
    const holds = Number(readFileSync('/proc/sys/net/unix/max_dgram_qlen', 'utf8')) + 1;
    for (let count = 0; count < holds + 3; count += 1) notifier.watchdog();
    expect(receiver.take()).toHaveLength(holds);
  });

  test.each([
    ['nobody listens', join(dir, 'nobody.sock')],
    ['a name that is too long', `/${'x'.repeat(200)}`],
    ['another kind of address', 'vsock:2:1234'],
    ['an empty one', ''],
    ['none', undefined],
  ])('does nothing with %s', (_case, NOTIFY_SOCKET) => {
    const notifier = openNotifier({ NOTIFY_SOCKET });
    expect(() => {
      notifier.ready();
      notifier.watchdog();
      notifier.stopping();
    }).not.toThrow();
  });
});

describe('the watchdog', () => {
  const NOTIFY_SOCKET = '/run/nobody';
  test.each([
    ['half of what systemd waits', { NOTIFY_SOCKET, WATCHDOG_USEC: '30000000' }, 15_000],
    ['for this process', { NOTIFY_SOCKET, WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' }, 1_500],
    ['for another one', { NOTIFY_SOCKET, WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' }, undefined],
    ['off', { NOTIFY_SOCKET }, undefined],
    ['nonsense', { NOTIFY_SOCKET, WATCHDOG_USEC: 'soon' }, undefined],
    ['zero', { NOTIFY_SOCKET, WATCHDOG_USEC: '0' }, undefined],
    ['without a socket', { WATCHDOG_USEC: '3000000' }, undefined],
  ])('%s', (_case, env, expected) => {
    expect(openNotifier(env, 7).watchdogIntervalMs).toBe(expected);
  });
});
