#!/bin/sh
# Runs a command on a machine whose login set-up is DIR's own: a private /etc (DIR/etc), /run and
# /dev, with syslog's socket at DIR/log.sock. Nothing outside sees any of it, and everything that is
# still running in it ends with the command.
#
#   private-login.sh DIR COMMAND [ARGUMENT ...]
#
# Run it as root. DIR/etc has to be there: a copy of /etc, changed as one likes.
set -eu

if [ "${1-}" = --inside ]; then
    dir=$2
    shift 2
    mount --bind "$dir/etc" /etc
    mount -t tmpfs -o mode=755 none /run
    mkdir -p /run/sshd /run/lock
    # /dev has to be private for /dev/log alone; the devices are the machine's.
    dev=$dir/dev
    mkdir -p "$dev"
    mount -t tmpfs -o mode=755 none "$dev"
    for node in null zero full random urandom tty; do
        : >"$dev/$node"
        mount --bind "/dev/$node" "$dev/$node"
    done
    for folder in pts shm; do
        mkdir -p "$dev/$folder"
        mount --rbind "/dev/$folder" "$dev/$folder"
    done
    ln -s pts/ptmx "$dev/ptmx"
    # Where /dev/pts is not a mount of its own with a usable ptmx, the machine's will do.
    if [ -c /dev/ptmx ] && [ ! -L /dev/ptmx ]; then
        rm "$dev/ptmx"
        : >"$dev/ptmx"
        mount --bind /dev/ptmx "$dev/ptmx"
    fi
    ln -s /proc/self/fd "$dev/fd"
    ln -s /proc/self/fd/0 "$dev/stdin"
    ln -s /proc/self/fd/1 "$dev/stdout"
    ln -s /proc/self/fd/2 "$dev/stderr"
    ln -s "$dir/log.sock" "$dev/log"
    mount --rbind "$dev" /dev
    exec "$@"
fi

if [ "$#" -lt 2 ]; then
    echo "usage: private-login.sh DIR COMMAND [ARGUMENT ...]" >&2
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "private-login.sh: a private login set-up needs root; run it with sudo" >&2
    exit 1
fi
dir=$(cd "$1" && pwd -P)
shift
# In a chroot whose / is no mount point, nothing can be made private, and nothing has to be.
propagation=private
unshare --mount --propagation private true 2>/dev/null || propagation=unchanged
exec unshare --mount --propagation "$propagation" --pid --fork --kill-child --mount-proc \
    sh "$0" --inside "$dir" "$@"
