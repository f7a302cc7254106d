#!/bin/sh
# Runs a command on a machine whose login set-up is DIR's own: a private /etc (DIR/etc), /run, /dev
# and places where logins are recorded, with syslog's socket at DIR/log.sock. Nothing outside sees
# any of it, and everything that is still running in it ends with the command.
#
#   private-login.sh [--root ROOT] DIR COMMAND [ARGUMENT ...]
#
# Run it as root. DIR/etc has to be there: a copy of /etc, changed as one likes. With --root, the
# programs are those of the system at ROOT, and DIR/etc is a copy of its /etc.
set -eu

if [ "${1-}" = --inside ]; then
    root=$2
    dir=$3
    propagation=$4
    shift 4
    if [ "$propagation" = unchanged ]; then
        # This is a chroot whose / is no mount, so that nothing below can say what is shared with
        # others. It can be said where the mount namespace has its own /.
        nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /
    fi
    mount -t proc none /proc
    if [ -n "$root" ]; then
        mkdir -p "$root$dir"
        mount --bind "$root" "$root"
        mount --rbind "$dir" "$root$dir"
        mount -t proc none "$root/proc"
    fi
    mount --bind "$dir/etc" "$root/etc"
    mount -t tmpfs -o mode=755 none "$root/run"
    mkdir -p "$root/run/sshd" "$root/run/lock"
    # Where sshd, sudo and PAM modules write down who was here, on Debian 12 and 13.
    for folder in /var/log /var/lib/sudo /var/lib/lastlog /var/lib/wtmpdb; do
        [ ! -d "$root$folder" ] || mount -t tmpfs -o mode=755 none "$root$folder"
    done
    # /dev has to be private for /dev/log alone; the devices are the machine's.
    dev=$dir/dev
    mkdir -p "$dev"
    mount -t tmpfs -o mode=755 none "$dev"
    for node in null zero full random urandom tty; do
        : >"$dev/$node"
        mount --bind "/dev/$node" "$dev/$node"
    done
    mkdir -p "$dev/pts" "$dev/shm"
    mount -t tmpfs -o mode=1777 none "$dev/shm"
    # The machine's terminals, so that a program knows the one it was started at. Their ptmx is a
    # node beside them (a mount of the machine's would not find them); else they are its own.
    if [ -c /dev/pts/ptmx ] && mknod -m 666 "$dev/ptmx" c 5 2 2>/dev/null; then
        mount --bind /dev/pts "$dev/pts"
    else
        mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 none "$dev/pts"
        ln -s pts/ptmx "$dev/ptmx"
    fi
    ln -s /proc/self/fd "$dev/fd"
    ln -s /proc/self/fd/0 "$dev/stdin"
    ln -s /proc/self/fd/1 "$dev/stdout"
    ln -s /proc/self/fd/2 "$dev/stderr"
    ln -s "$dir/log.sock" "$dev/log"
    mount --rbind "$dev" "$root/dev"
    [ -z "$root" ] || exec chroot "$root" "$@"
    exec "$@"
fi

root=
if [ "${1-}" = --root ]; then
    root=$(cd "$2" && pwd -P)
    shift 2
fi
if [ "$#" -lt 2 ]; then
    echo "usage: private-login.sh [--root ROOT] DIR COMMAND [ARGUMENT ...]" >&2
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "private-login.sh: a private login set-up needs root; run it with sudo" >&2
    exit 1
fi
dir=$(cd "$1" && pwd -P)
shift
case $dir/ in
/dev/* | /etc/* | /proc/* | /run/* | /var/log/*)
    echo "private-login.sh: $dir would be hidden; put it elsewhere, such as below /tmp" >&2
    exit 1
    ;;
esac
propagation=private
unshare --mount --propagation private true 2>/dev/null || propagation=unchanged
exec unshare --mount --propagation "$propagation" --pid --fork --kill-child \
    sh "$0" --inside "$root" "$dir" "$propagation" "$@"
