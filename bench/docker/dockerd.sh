#!/bin/sh
# Starts the dockerd of a Debian root in namespaces of its own. docker-side.ts calls it with this environment:
#   ROOT   the root directory
#   BED    a directory of the host, /srv inside: for images, containers and docker.sock
#   GROUP  the name of the cpuacct cgroup of dockerd, containerd and shims, and of the parent of the containers' cgroups
#   RUNC   the runc of the host, which replaces that of the root
#   NETWORK  dockerd's options about networks
#   LIBSECCOMP  the library with which runc loads profiles; empty if it is linked statically
# The first call enters the cgroup. The second call, with "inside", does the rest. pivot_root instead of chroot, because
# runc enters the root of the mount namespace.
set -eu

if [ "${1:-}" != inside ]; then
  mkdir "/sys/fs/cgroup/cpuacct/$GROUP"
  echo $$ >"/sys/fs/cgroup/cpuacct/$GROUP/cgroup.procs"
  exec unshare --mount --pid --fork --kill-child=KILL --net --ipc --uts --propagation private /bin/sh "$0" inside
fi

mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /sys "$ROOT/sys"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount --bind "$BED" "$ROOT/srv"
mount --bind "$RUNC" "$ROOT/usr/sbin/runc"
if [ -n "$LIBSECCOMP" ]; then mount --bind "$LIBSECCOMP" "$ROOT$LIBSECCOMP"; fi
ip link set lo up
cd "$ROOT"
pivot_root . mnt
umount --lazy /mnt
export PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/tmp HOME=/root
# PID 1 has to reap orphans of other processes. The shell does, dockerd does not.
dockerd --data-root /srv/docker --exec-root /run/docker --host unix:///srv/docker.sock --metrics-addr 127.0.0.1:9323 \
  --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$GROUP" \
  $NETWORK
exit $?
