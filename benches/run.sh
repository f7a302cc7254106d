#!/bin/sh
# What a login costs, as one table. Installs what it needs (Debian 12 or 13; root or sudo).
#
#   sh benches/run.sh
#
# With PAM_DUO_MODULE=FILE, the table is of another build of the module.
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh
set_up test
if [ -n "$SUDO" ]; then
    exec sudo env PATH="$PATH" HOME="$HOME" CARGO_HOME="${CARGO_HOME-$HOME/.cargo}" \
        RUSTUP_HOME="${RUSTUP_HOME-$HOME/.rustup}" PAM_DUO_MODULE="${PAM_DUO_MODULE-}" \
        sh benches/run.sh "$@"
fi
[ -n "${PAM_DUO_MODULE-}" ] || unset PAM_DUO_MODULE
say "the module, as it is shipped"
cargo build --release --quiet --package pam_duo
say "logins"
cargo bench --quiet --bench logins
