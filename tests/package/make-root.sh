#!/bin/sh
# Makes a fresh Debian that the package's tests install into, each in a copy of its own:
#
#   make-root.sh bookworm|trixie DIRECTORY
#
# It has what a small server has, and next to it Debian's own libpam-duo, not installed.
set -eu

[ "$#" -eq 2 ] || {
    echo "usage: make-root.sh bookworm|trixie DIRECTORY" >&2
    exit 2
}
rm -rf "$2"
# shellcheck disable=SC2016 # mmdebstrap's own shell has a $1
mmdebstrap --quiet --variant=minbase \
    --include=ca-certificates,login,openssh-client,openssh-server,pamtester,procps,sudo \
    --customize-hook='mkdir "$1/var/cache/libpam-duo"' \
    --customize-hook='chroot "$1" chown _apt /var/cache/libpam-duo' \
    --customize-hook='chroot "$1" sh -c "cd /var/cache/libpam-duo && apt-get -qq download libpam-duo \$(apt-cache depends libpam-duo | sed -n \"s/^ *Depends: \\(libduo.*\\)/\\1/p\")"' \
    "$1" "$2" >&2
: >"$2/var/cache/libpam-duo/complete"
