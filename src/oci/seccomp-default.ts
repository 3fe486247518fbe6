import type { ProfileRule, SeccompProfile } from './seccomp-profile.ts';
import type { SeccompArgument } from './types.ts';

// Docker's default profile as of moby/profiles of 2026 (seccomp/default.json), written compactly. System call names,
// argument filters and conditions are facts; the grouping follows theirs so that the two can be compared.

const ALLOWED_ALWAYS = `
accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime
clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl
ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr
lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat
mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64
mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall
munmap name_to_handle_at nanosleep newfstatat _newselect open openat openat2 pause pidfd_open pidfd_send_signal
pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64
process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat
renameat2 restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl
shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat
stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time
timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate
truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork
vmsplice wait4 waitid waitpid write writev`;

const ALLOWED_BY_CAPABILITY: Readonly<Record<string, string>> = {
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
    setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime clock_settime64',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYSLOG: 'syslog',
  CAP_BPF: 'bpf',
  CAP_PERFMON: 'perf_event_open',
};

const ALLOWED_BY_ARCHITECTURE: readonly { readonly arches: readonly string[]; readonly names: string }[] = [
  { arches: ['ppc64le'], names: 'sync_file_range2 swapcontext' },
  {
    arches: ['arm', 'arm64'],
    names: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
  },
  { arches: ['amd64', 'x32'], names: 'arch_prctl' },
  { arches: ['amd64', 'x32', 'x86'], names: 'modify_ldt' },
  { arches: ['s390', 's390x'], names: 's390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr' },
  { arches: ['riscv64'], names: 'riscv_flush_icache' },
];

const SUB_ARCHITECTURES: Readonly<Record<string, string>> = {
  X86_64: 'X86 X32',
  AARCH64: 'ARM',
  MIPS64: 'MIPS MIPS64N32',
  MIPS64N32: 'MIPS MIPS64',
  MIPSEL64: 'MIPSEL MIPSEL64N32',
  MIPSEL64N32: 'MIPSEL MIPSEL64',
  S390X: 'S390',
  RISCV64: '',
  LOONGARCH64: '',
};

/**
 * Every address family below 12, and those listed: not DECnet, Econet, ATM SVC, IrDA, Wanpipe, IUCV, CAIF, AF_ALG,
 * vsock, or any unknown one.
 */
const FIRST_FILTERED_FAMILY = 12;
const FAMILIES = [13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45];

/** PER_LINUX, PER_LINUX32, both with UNAME26, and "tell me what it is". */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: none may be set. */
const NEW_NAMESPACES = 0x7e020000;
const ENOSYS = 38;

const S390 = ['s390', 's390x'];

/** Docker's default profile, before it is fitted to a container and a machine by resolveSeccomp. */
export function defaultProfile(): SeccompProfile {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: Object.entries(SUB_ARCHITECTURES).map(([architecture, others]) => ({
      architecture: `SCMP_ARCH_${architecture}`,
      subArchitectures: words(others).map((other) => `SCMP_ARCH_${other}`),
    })),
    syscalls: [
      allow(ALLOWED_ALWAYS),
      // Before 4.8 ptrace could be used to get past the filter.
      { ...allow('process_vm_readv process_vm_writev ptrace'), includes: { minKernel: '4.8' } },
      allow('socket', { index: 0, value: FIRST_FILTERED_FAMILY, op: 'SCMP_CMP_LT' }),
      ...FAMILIES.map((family) => allow('socket', { index: 0, value: family, op: 'SCMP_CMP_EQ' })),
      ...PERSONALITIES.map((value) => allow('personality', { index: 0, value, op: 'SCMP_CMP_EQ' })),
      ...ALLOWED_BY_ARCHITECTURE.map(({ arches, names }) => ({ ...allow(names), includes: { arches } })),
      ...Object.entries(ALLOWED_BY_CAPABILITY).map(([name, names]) => ({
        ...allow(names),
        includes: { caps: [name] },
      })),
      ...cloneRules(),
    ],
  };
}

function cloneRules(): ProfileRule[] {
  const caps = ['CAP_SYS_ADMIN'];
  const withoutNamespaces = (index: number) =>
    allow('clone', { index, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' });
  return [
    { ...withoutNamespaces(0), excludes: { caps, arches: S390 } },
    // The order of clone's parameters is different on s390.
    { ...withoutNamespaces(1), includes: { arches: S390 }, excludes: { caps } },
    // clone3 takes its flags by pointer, which no filter can see into; C libraries fall back to clone on ENOSYS, not on
    // EPERM.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, excludes: { caps } },
  ];
}

function allow(names: string, ...args: SeccompArgument[]): ProfileRule {
  return { names: words(names), action: 'SCMP_ACT_ALLOW', ...(args.length > 0 && { args }) };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
