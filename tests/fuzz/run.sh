#!/bin/sh
# Fuzzes everything that reads bytes from outside, one target after the other, and keeps what
# reaches new code in tests/fuzz/corpus.
#
#   sh tests/fuzz/run.sh [SECONDS] [TARGET ...]
#
# SECONDS are for each target: 600 if not said. Coverage-guided by libFuzzer through cargo-fuzz,
# which this installs below target/. Any Rust compiler will do: RUSTC_BOOTSTRAP opens the options
# for the sanitizer that a stable one keeps shut, for these programs alone.
set -eu
cd "$(dirname "$0")/../.."
. packaging/setup.sh
set_up build
install_packages g++

seconds=${1-600}
[ "$#" -eq 0 ] || shift
tools=$PWD/target/fuzz-tools
[ -x "$tools/bin/cargo-fuzz" ] ||
    cargo install --quiet --locked --root "$tools" --version 0.13.2 cargo-fuzz
PATH=$tools/bin:$PATH
export PATH RUSTC_BOOTSTRAP=1

[ "$#" -gt 0 ] || set -- config replies answers retry_after ssh_connection gecos login \
    pem roots push_limit
for target in "$@"; do
    say "$target, $seconds s"
    grown=target/fuzz-corpus/$target
    mkdir -p "$grown"
    cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz "$target" \
        "$grown" "tests/fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1
    # The smallest set that covers as much.
    cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz "$target" \
        "tests/fuzz/corpus/$target" "$grown" -- -set_cover_merge=1 -use_counters=0 -max_len=8192
done
