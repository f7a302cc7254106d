#!/bin/sh
# Runs everything: format, lints, unit, property and integration tests, real-sshd tests. Installs
# what it needs (Debian 12 or 13; root or sudo). Ends with the counts; what was skipped is named.
#
#   sh tests/run.sh [--offline] [TEST NAME]
#
# --offline leaves out, counted and named, what needs PyPI (Duo's own Python client), a Debian
# mirror (the end-to-end tests once more, with the sshd of Debian 13; the Debian package in fresh
# Debian systems) or RustSec's advisory database.
# A TEST NAME runs only the tests whose names contain it.
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh

offline=no
filter=
for argument in "$@"; do
    case $argument in
    --offline) offline=yes ;;
    -*) die "unknown option '$argument'; usage: sh tests/run.sh [--offline] [TEST NAME]" ;;
    *) filter=$argument ;;
    esac
done

set_up test
# The tests make namespaces and start sshd, so everything runs as root; through sudo, with the
# caller's own Rust.
if [ -n "$SUDO" ]; then
    exec sudo env PATH="$PATH" HOME="$HOME" CARGO_HOME="${CARGO_HOME-$HOME/.cargo}" \
        RUSTUP_HOME="${RUSTUP_HOME-$HOME/.rustup}" sh tests/run.sh "$@"
fi

say "format"
cargo fmt --all --check
say "lints"
cargo clippy --workspace --all-targets --quiet -- --deny warnings

say "dependencies: licenses, bans, sources, advisories"
# 0.18.3 is the last that builds with Rust 1.85. It cannot read today's advisories, which are scored
# by CVSS 4.0; 0.20.2 can, and needs Rust 1.88.
cargo_deny=0.20.2
[ "$(rustc --version | cut -d . -f 2)" -ge 88 ] || cargo_deny=0.18.3
tools=$PWD/target/tools
deny() {
    timeout 300 "$tools/bin/cargo-deny" --log-level error --workspace "$@"
}
if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $cargo_deny" ]; then
    say "cargo-deny $cargo_deny"
    cargo install --quiet --locked --root "$tools" cargo-deny --version "$cargo_deny" ||
        [ "$offline" = yes ] ||
        die "cargo-deny cannot be installed; --offline leaves it out where it is not there"
fi
# What of it is left out, and why.
no_deny=
no_advisories=
if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $cargo_deny" ]; then
    no_deny=--offline
    no_advisories=--offline
else
    deny check licenses bans sources
    if [ "$offline" = yes ]; then
        no_advisories=--offline
    elif [ "$cargo_deny" = 0.18.3 ]; then
        no_advisories="reading them needs Rust 1.88"
    elif ! deny fetch db 2>target/advisories.log; then
        no_advisories="the database cannot be reached, see target/advisories.log"
    else
        deny check advisories
    fi
fi

say "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --quiet
say "the module, as it is shipped"
cargo build --release --quiet

# Tests that need PyPI are marked as ignored, so that plain cargo test leaves them out.
include=
if [ "$offline" = no ]; then
    venv=target/duo-client-venv
    if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import duo_client' 2>/dev/null; then
        say "Duo's own Python client, to compare signatures with"
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check 'duo_client==5.7.0' ||
            die "PyPI cannot be reached; --offline leaves out the tests that need it"
    fi
    DUO_CLIENT_PYTHON=$PWD/$venv/bin/python
    export DUO_CLIENT_PYTHON
    include=--include-ignored
fi

# The end-to-end tests run with this machine's sshd and, if that is older, with Debian 13's. That
# system also has Debian's own libpam-duo, to compare with.
newer=
release=$(debian_release)
if [ "$offline" = no ]; then
    newer=$PWD/target/debian-13
    if [ ! -e "$newer/etc/pam-duo-tests-complete-2" ]; then
        say "a Debian 13, for its sshd and its libpam-duo"
        install_packages mmdebstrap
        rm -rf "$newer"
        mmdebstrap --quiet --variant=minbase --include=ca-certificates,libpam-duo,openssh-server,pamtester,procps,sudo trixie "$newer" >&2 ||
            die "a Debian mirror cannot be reached; --offline leaves out the tests that need it"
        : >"$newer/etc/pam-duo-tests-complete-2"
    fi
fi

# The package, and fresh Debian systems to install it into.
package=
package_releases=
too_new=no
if [ "$offline" = no ]; then
    say "the Debian package"
    package=$(sh packaging/deb.sh | tail -n 1)
    [ -f "$package" ] || die "packaging/deb.sh made no package"
    package_releases="12:bookworm 13:trixie"
    # Built with a newer glibc than Debian 12's, it may say that it needs one.
    glibc=$(dpkg-deb --field "$package" Depends | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
    if dpkg --compare-versions "$glibc" gt 2.36; then
        package_releases="13:trixie"
        too_new=yes
    fi
    # Made anew when what it is made with changes.
    stamp=$(sha256sum tests/package/make-root.sh | cut -c 1-16)
    for release_and_suite in $package_releases; do
        root=target/package-${release_and_suite%%:*}
        [ ! -e "$root/var/cache/libpam-duo/complete-$stamp" ] || continue
        say "a fresh Debian ${release_and_suite%%:*}, to install it into"
        sh tests/package/make-root.sh "${release_and_suite##*:}" "$root" ||
            die "a Debian mirror cannot be reached; --offline leaves out the tests that need it"
        : >"$root/var/cache/libpam-duo/complete-$stamp"
    done
fi

say "tests"
# Each host has processes of its own to wait for, so there are more tests at once than cores.
log=target/tests.log
status=0
# shellcheck disable=SC2086 # options, or none
{
    cargo test --workspace --no-fail-fast -- $include --skip debians_module --test-threads 4 $filter 2>&1 ||
        echo "exit status $?"
    if [ -n "$newer" ]; then
        PAM_DUO_ROOT=$newer cargo test --package pam_duo --test libpam_duo -- $include $filter 2>&1 ||
            echo "exit status $?"
    fi
    if [ -n "$newer" ] && [ "$release" != 13 ]; then
        echo "     Once more, with the sshd, sudo and su of Debian 13"
        # What says nothing about sshd or PAM is left to the first run: a network's faults, and a host
        # program that is built here.
        PAM_DUO_ROOT=$newer cargo test --package pam_duo --test end_to_end --no-fail-fast -- \
            --skip cost:: --skip deadlines:: --skip host_safety:: --skip recipes:: --test-threads 4 $filter 2>&1 ||
            echo "exit status $?"
        # What pamduo lint says of stacks, against the newer libpam.
        PAM_DUO_ROOT=$newer cargo test --package pamduo --test pamduo_lint -- real_ $filter 2>&1 ||
            echo "exit status $?"
    fi
    for release_and_suite in $package_releases; do
        root=target/package-${release_and_suite%%:*}
        # What is in the package is the same everywhere, and looked at once.
        contents=
        [ "$release_and_suite" = "${package_releases%% *}" ] || contents="--skip contents::"
        echo "     The package in a fresh Debian ${release_and_suite%%:*}"
        PAM_DUO_PACKAGE=$package PAM_DUO_PACKAGE_ROOT=$PWD/$root \
            cargo test --package pam_duo --test package --no-fail-fast -- \
            --test-threads 4 $contents $filter 2>&1 || echo "exit status $?"
    done
} |
    tee "$log" | grep -vE '^(running|test result|   Doc-tests|$)|\.\.\. ok$' || true
grep -q '^exit status' "$log" && status=1

# One line of each test binary: "test result: ok. 3 passed; 0 failed; 1 ignored; …".
count() {
    sed -n "s/^test result: .* \([0-9]*\) $1.*/\1/p" "$log" | awk '{ sum += $1 } END { print sum + 0 }'
}
passed=$(count passed)
failed=$(count failed)
# A test that only finds out when it runs that it cannot, such as without cgroup v2, says so itself.
not_run=$(grep -c '^skipped: ' "$log" || true)
passed=$((passed - not_run))
skipped=$(($(count ignored) + not_run))
if [ -z "$newer" ]; then
    skipped=$((skipped + 3))
    [ "$release" = 13 ] || skipped=$((skipped + 1))
fi
[ "$too_new" = no ] || skipped=$((skipped + 1))
[ -z "$no_deny" ] || skipped=$((skipped + 1))
[ -z "$no_advisories" ] || skipped=$((skipped + 1))
if [ "$skipped" -gt 0 ]; then
    say "skipped:"
    [ -z "$no_deny" ] || echo "cargo deny check licenses bans sources ($no_deny)"
    [ -z "$no_advisories" ] || echo "cargo deny check advisories ($no_advisories)"
    [ "$too_new" = no ] || echo "the Debian package in a fresh Debian 12 (built here, it needs glibc $glibc)"
    sed -n 's/^test \(.*\) \.\.\. ignored\(.*\)$/\1\2/p; s/^skipped: //p' "$log"
    if [ -z "$newer" ]; then
        echo "debians_module_and_this_one_ask_the_same_users (--offline)"
        echo "the Debian package in a fresh Debian 12 (--offline)"
        echo "the Debian package in a fresh Debian 13 (--offline)"
        [ "$release" = 13 ] || echo "end_to_end with the sshd of Debian 13 (--offline)"
    fi
fi
if [ "$failed" -eq 0 ] && [ "$status" -ne 0 ]; then
    say "a test binary did not run to its end; see $log"
    failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
