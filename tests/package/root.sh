#!/bin/sh
# Runs a command in a copy of the Debian at BASE: what is written goes into memory, and away with the
# command, as everything does that still runs then.
#
#   root.sh BASE DIRECTORY COMMAND [ARGUMENT ...]
#
# DIRECTORY is an empty one, the mount point. Run it as root.
set -eu

if [ "${1-}" = --inside ]; then
    base=$2
    dir=$3
    propagation=$4
    shift 4
    if [ "$propagation" = unchanged ]; then
        # See packaging/private-login.sh.
        nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /
    fi
    mount -t tmpfs -o mode=755 none "$dir"
    mkdir "$dir/upper" "$dir/work" "$dir/root"
    root=$dir/root
    mount -t overlay -o "lowerdir=$base,upperdir=$dir/upper,workdir=$dir/work" none "$root"
    mount -t proc none "$root/proc"
    mount -t tmpfs -o mode=755 none "$root/run"
    mkdir -p "$root/run/sshd" "$root/run/lock"
    dev=$root/dev
    mount -t tmpfs -o mode=755 none "$dev"
    for node in null zero full random urandom tty; do
        : >"$dev/$node"
        mount --bind "/dev/$node" "$dev/$node"
    done
    mkdir "$dev/pts" "$dev/shm"
    mount -t tmpfs -o mode=1777 none "$dev/shm"
    # The machine's own terminals, so that a program knows the one it was started at.
    if [ -c /dev/pts/ptmx ] && mknod -m 666 "$dev/ptmx" c 5 2 2>/dev/null; then
        mount --bind /dev/pts "$dev/pts"
    else
        mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 none "$dev/pts"
        ln -s pts/ptmx "$dev/ptmx"
    fi
    ln -s /proc/self/fd "$dev/fd"
    exec chroot "$root" "$@"
fi

if [ "$#" -lt 3 ]; then
    echo "usage: root.sh BASE DIRECTORY COMMAND [ARGUMENT ...]" >&2
    exit 2
fi
base=$(cd "$1" && pwd -P)
dir=$(cd "$2" && pwd -P)
shift 2
propagation=private
unshare --mount --propagation private true 2>/dev/null || propagation=unchanged
exec unshare --mount --propagation "$propagation" --pid --fork --kill-child \
    sh "$0" --inside "$base" "$dir" "$propagation" "$@"
