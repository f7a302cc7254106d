# What the other scripts need on a machine: Debian packages, and a Rust that is new enough.
# Sourced, not run:  . packaging/setup.sh && set_up build|demo|package|test
#
# Leaves $SUDO (empty, or sudo) and a cargo on PATH. Fresh Debian 12 or 13; root or sudo.
# shellcheck shell=sh

# The oldest Rust that builds this (rust-version in Cargo.toml).
MINIMUM_RUST=1.85

say() {
    printf '%s\n' "== $*" >&2
}

die() {
    printf '%s\n' "$0: $*" >&2
    exit 1
}

find_root() {
    if [ "$(id -u)" -eq 0 ]; then
        SUDO=
    elif command -v sudo >/dev/null 2>&1; then
        SUDO=sudo
    else
        die "needs root to install packages and to make a private login set-up: run it as root, or install sudo"
    fi
}

# Installs those of the packages that are missing. No service is started: sshd's own would be one.
install_packages() {
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
        # Twice, where it is there for two architectures.
        "install ok installed"*) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    had_sshd=no
    [ ! -e /usr/sbin/sshd ] || had_sshd=yes
    say "installing$missing"
    policy=/usr/sbin/policy-rc.d
    own_policy=no
    if [ ! -e "$policy" ]; then
        own_policy=yes
        printf '#!/bin/sh\nexit 101\n' | $SUDO tee "$policy" >/dev/null
        $SUDO chmod 755 "$policy"
    fi
    installed=yes
    # shellcheck disable=SC2086 # a list of names
    { $SUDO apt-get update -qq &&
        $SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $missing </dev/null; } >&2 ||
        installed=no
    [ "$own_policy" = no ] || $SUDO rm -f "$policy"
    # Nor at the next boot, if it was not there before.
    if [ "$had_sshd" = no ] && [ -e /usr/sbin/sshd ]; then
        $SUDO deb-systemd-helper disable ssh.service ssh.socket >/dev/null 2>&1 ||
            say "openssh-server is new here and starts at the next boot: see systemctl status ssh"
    fi
    [ "$installed" = yes ] || die "apt-get could not install$missing"
}

# 12, 13, ...
debian_release() {
    sed -n 's/^VERSION_ID="\{0,1\}\([0-9.]*\)"\{0,1\}$/\1/p' /etc/os-release
}

# Whether the rustc on PATH is new enough, and cargo is there.
rust_is_new_enough() {
    command -v cargo >/dev/null 2>&1 || return 1
    version=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) || return 1
    major=${version%%.*}
    rest=${version#*.}
    minor=${rest%%.*}
    [ "${major:-0}" -gt 1 ] || [ "${minor:-0}" -ge "${MINIMUM_RUST#*.}" ]
}

# The Rust that is there, else Debian's own: rustc on 13, rustc-web on 12.
install_rust() {
    # Through sudo, PATH may have lost the caller's toolchain.
    for home in "${CARGO_HOME-}" "${HOME-}/.cargo"; do
        if [ -n "$home" ] && [ -x "$home/bin/cargo" ]; then
            PATH=$home/bin:$PATH
        fi
    done
    if ! rust_is_new_enough; then
        case $(debian_release) in
        12) install_packages rustc-web cargo-web ;;
        *) install_packages rustc cargo ;;
        esac
        PATH=/usr/bin:$PATH
        rust_is_new_enough || die "needs Rust $MINIMUM_RUST or newer; rustc --version says: $(rustc --version 2>&1)"
    fi
    export PATH
}

install_rust_checks() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return 0
    case $(debian_release) in
    12) install_packages rustfmt-web rust-web-clippy ;;
    *) install_packages rustfmt rust-clippy ;;
    esac
}

# For packages of another architecture: Debian's cross compiler, and Rust's library and libpam for
# that machine. A Rust that is not Debian's and lacks the library gives way to Debian's.
set_up_cross() { # architecture, multiarch triplet, Rust's target
    if ! dpkg --print-foreign-architectures | grep -qx "$1"; then
        $SUDO dpkg --add-architecture "$1"
    fi
    install_packages "gcc-$(printf '%s' "$2" | tr _ -)" "libpam0g-dev:$1"
    if [ ! -d "$(rustc --print target-libdir --target "$3")" ]; then
        case $(debian_release) in
        12) install_packages rustc-web cargo-web "libstd-rust-web-dev:$1" ;;
        *) install_packages rustc cargo "libstd-rust-dev:$1" ;;
        esac
        PATH=/usr/bin:$PATH
        [ -d "$(rustc --print target-libdir --target "$3")" ] ||
            die "$(command -v rustc) has no library for $3"
    fi
    linker=CARGO_TARGET_$(printf '%s' "$3" | tr 'a-z-' 'A-Z_')_LINKER
    export PATH "$linker=$2-gcc"
}

set_up() {
    [ -r /etc/debian_version ] || die "is for Debian and its relatives: it installs what it needs with apt-get"
    find_root
    build="ca-certificates gcc libc6-dev libpam0g-dev"
    demo="$build openssh-server openssh-client openssl util-linux"
    package="binutils dpkg-dev git python3"
    codes="libpam-google-authenticator libpam-oath oathtool"
    case $1 in
    build) packages=$build ;;
    demo) packages=$demo ;;
    package) packages="$build $package" ;;
    test) packages="$demo $package iproute2 lintian mmdebstrap pamtester procps sudo python3-venv valgrind $codes" ;;
    *) die "set_up knows build, demo, package and test" ;;
    esac
    # shellcheck disable=SC2086 # a list of names
    install_packages $packages
    install_rust
    if [ "$1" = test ]; then
        install_rust_checks
    fi
}
