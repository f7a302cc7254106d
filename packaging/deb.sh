#!/bin/sh
# Builds the Debian package, on Debian 12 or 13, and prints its path as the last line. Installs what
# it needs (root or sudo). Two builds of one commit with the same Rust are the same, byte for byte.
#
#   sh packaging/deb.sh                for this machine
#   sh packaging/deb.sh --arch arm64   for another one, with Debian's cross compiler
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh

# Builds with Rust 1.85, which 3.8.0 does not, although it says so.
CARGO_DEB=3.6.2

arch=
while [ "$#" -gt 0 ]; do
    case $1 in
    --arch)
        [ "$#" -gt 1 ] || die "--arch takes amd64 or arm64"
        arch=$2
        shift 2
        ;;
    *) die "unknown option '$1'; usage: sh packaging/deb.sh [--arch amd64|arm64]" ;;
    esac
done

set_up package
own=$(dpkg --print-architecture)
[ -n "$arch" ] || arch=$own
case $arch in
amd64) target=x86_64-unknown-linux-gnu ;;
arm64) target=aarch64-unknown-linux-gnu ;;
*) die "does not know the architecture $arch" ;;
esac
triplet=$(dpkg-architecture -a "$arch" -q DEB_HOST_MULTIARCH 2>/dev/null)
if [ "$arch" != "$own" ]; then
    set_up_cross "$arch" "$triplet" "$target"
fi

tools=$PWD/target/tools
if [ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" != "cargo-deb $CARGO_DEB" ]; then
    say "cargo-deb $CARGO_DEB"
    cargo install --quiet --locked --root "$tools" cargo-deb --version "$CARGO_DEB"
fi

# Nothing of where and when it was built gets into the package.
SOURCE_DATE_EPOCH=$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null) ||
    SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
here=$(pwd -P)
cargo_home=${CARGO_HOME-$HOME/.cargo}
RUSTFLAGS="--remap-path-prefix=$here=/build --remap-path-prefix=$cargo_home=/cargo"
CFLAGS="-ffile-prefix-map=$here=/build -ffile-prefix-map=$cargo_home=/cargo"
export RUSTFLAGS CFLAGS
export CARGO_INCREMENTAL=0 LC_ALL=C TZ=UTC
umask 022

# A folder of its own: other builds have other flags. The module has none of the command's crates.
say "building the module and the command for $arch"
build() { # folder, option ...
    folder=$1
    shift
    cargo build --quiet --release --locked --target "$target" \
        --target-dir "target/deb/$folder" "$@"
}
build module --package pam_duo
build command --package pamduo
pamduo=target/deb/command/$target/release/pamduo
generator=$pamduo
if [ "$arch" != "$own" ]; then
    # It has to run here.
    cargo build --quiet --locked --package pamduo --target-dir target/deb/generator
    generator=target/deb/generator/debug/pamduo
fi

say "laying out the files"
tree=target/deb/tree
rm -rf "$tree"
doc=$tree/usr/share/doc/libpam-duo-rs
put() { # file, folder [, name]
    install -D -m 644 "$1" "$2/${3-${1##*/}}"
}
put_compressed() { # file, folder
    mkdir -p "$2"
    gzip -9n <"$1" >"$2/${1##*/}.gz"
}
generate() { # what, file
    mkdir -p "${2%/*}"
    "$generator" generate "$1" >"$2"
}
put conf/pam_duo.conf "$tree/etc/duo"
install -D -m 755 "$pamduo" "$tree/usr/bin/pamduo"
put "target/deb/module/$target/release/libpam_duo.so" "$tree/usr/lib/$triplet/security" pam_duo.so
put packaging/debian/duo "$tree/usr/share/pam-configs"
put packaging/debian/tmpfiles.conf "$tree/usr/lib/tmpfiles.d" libpam-duo-rs.conf
put packaging/debian/lintian-overrides "$tree/usr/share/lintian/overrides" libpam-duo-rs
generate man target/deb/pamduo.8
generate conf-man target/deb/pam_duo.conf.5
for page in packaging/man/*.8 target/deb/pamduo.8 target/deb/pam_duo.conf.5; do
    put_compressed "$page" "$tree/usr/share/man/man${page##*.}"
done
generate bash "$tree/usr/share/bash-completion/completions/pamduo"
generate zsh "$tree/usr/share/zsh/vendor-completions/_pamduo"
generate fish "$tree/usr/share/fish/vendor_completions.d/pamduo.fish"
for example in packaging/debian/examples/*; do
    put "$example" "$doc/examples"
done
for text in README.md SECURITY.md; do
    put_compressed "$text" "$doc"
done
cp CHANGELOG.md target/deb/changelog
put_compressed target/deb/changelog "$doc"
python3 packaging/bundled.py "$target" target/deb
put target/deb/sbom.cdx.json "$doc"

say "packing"
version=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
deb=target/debian/libpam-duo-rs_${version}_$arch.deb
rm -f "$deb"
cross=
[ "$arch" = "$own" ] || cross="--target $target"
# shellcheck disable=SC2086 # options, or none
"$tools/bin/cargo-deb" deb --quiet --no-build --no-strip --locked --package pam_duo $cross \
    --deb-version "$version" --output "$deb.new" >/dev/null
[ -s "$deb.new" ] || die "cargo-deb made no $deb"
mv "$deb.new" "$deb"

# Ubuntu 22.04 has glibc 2.35. Debian 13's own compiler may ask for a newer one: then the package
# says so in Depends, and runs from there on.
newest=$(readelf --wide --version-info "$tree/usr/bin/pamduo" "$tree/usr/lib/$triplet/security/pam_duo.so" |
    sed -n 's/.*Name: GLIBC_\([0-9.]*\) .*/\1/p' | sort -V | tail -n 1)
say "needs glibc $newest: $(dpkg-deb -f "$deb" Depends)"
if [ "$(debian_release)" = 12 ] && dpkg --compare-versions "$newest" gt 2.35; then
    die "built on Debian 12, the package has to run on Ubuntu 22.04, which has glibc 2.35"
fi
echo "$here/$deb"
