#!/bin/sh
# Shows the module at work: builds it, starts a simulated Duo and a real sshd with a login set-up of
# their own, and logs in with the real ssh by push, by passcode and with a denied push. Nothing of
# the machine's own login set-up changes, and nothing is left behind. Installs what it needs
# (Debian 12 or 13; root or sudo).
#
#   sh packaging/demo.sh                 shows three logins
#   sh packaging/demo.sh --interactive   leaves everything running, to try it by hand
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh

case ${1-} in
"") interactive=no ;;
--interactive) interactive=yes ;;
*) die "unknown option '$1'; usage: sh packaging/demo.sh [--interactive]" ;;
esac

set_up demo
if [ -n "$SUDO" ]; then
    exec sudo env PATH="$PATH" HOME="$HOME" CARGO_HOME="${CARGO_HOME-$HOME/.cargo}" \
        RUSTUP_HOME="${RUSTUP_HOME-$HOME/.rustup}" sh packaging/demo.sh "$@"
fi

say "building the module and the simulator"
cargo build --release --quiet --package pam_duo --package duo-sim
module=$PWD/target/release/libpam_duo.so

dir=$(mktemp -d)
chmod 755 "$dir"
simulator=
host=
clean_up() {
    # The host is ended for good: unshare takes no other signal, and takes everything in it along.
    [ -z "$host" ] || kill -KILL "$host" 2>/dev/null || true
    [ -z "$simulator" ] || kill "$simulator" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

wait_for_file() {
    tries=0
    until [ -e "$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 200 ] || die "$2"
        sleep 0.1
    done
}

say "starting a simulated Duo"
target/release/duo-sim --scenario packaging/demo.toml --listen 127.0.0.1:0 --directory "$dir" \
    --ready-file "$dir/ready" --print-config >"$dir/pam_duo.conf" 2>>"$dir/asked" &
simulator=$!
wait_for_file "$dir/ready" "the simulator did not start"

say "making a login set-up of its own"
cp -a /etc "$dir/etc"
rm -rf "$dir/etc/pam.d" "$dir/etc/duo" "$dir/etc/gshadow"
mkdir -p "$dir/etc/pam.d" "$dir/etc/duo" "$dir/home"
install -m 600 "$dir/pam_duo.conf" "$dir/etc/duo/pam_duo.conf"
cat >"$dir/etc/pam.d/sshd" <<PAM
auth     required  $module
account  required  pam_permit.so
session  required  pam_permit.so
PAM
cat >"$dir/etc/passwd" <<USERS
root:x:0:0:root:/root:/bin/sh
sshd:x:101:65534::/run/sshd:/usr/sbin/nologin
alice:x:2001:2001::$dir/home/alice:/bin/sh
bob:x:2002:2002::$dir/home/bob:/bin/sh
USERS
printf 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\nalice:x:2001:\nbob:x:2002:\n' >"$dir/etc/group"
rm -f "$dir/etc/shadow"
printf 'root:*:19000::::::\nsshd:*:19000::::::\nalice:*:19000::::::\nbob:*:19000::::::\n' >"$dir/etc/shadow"
chmod 600 "$dir/etc/shadow"
ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/client_key"
uid=2001
for user in alice bob; do
    mkdir -p "$dir/home/$user/.ssh"
    cp "$dir/client_key.pub" "$dir/home/$user/.ssh/authorized_keys"
    chown -R "$uid:$uid" "$dir/home/$user"
    uid=$((uid + 1))
done

say "starting sshd"
# A port that is free now may be taken a moment later, so there are several tries.
port=
for try in 1 2 3 4 5 6 7 8; do
    candidate=$((20000 + ($$ * 7 + try * 1009) % 30000))
    cat >"$dir/sshd_config" <<SSHD
Port $candidate
ListenAddress 127.0.0.1
HostKey $dir/host_key
PidFile $dir/sshd.pid
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
AuthenticationMethods publickey,keyboard-interactive
PrintMotd no
PrintLastLog no
SSHD
    rm -f "$dir/sshd.pid"
    sh packaging/private-login.sh "$dir" /usr/sbin/sshd -D -f "$dir/sshd_config" 2>"$dir/sshd.err" &
    host=$!
    tries=0
    # sshd writes its pid once it listens.
    while [ ! -e "$dir/sshd.pid" ] && kill -0 "$host" 2>/dev/null && [ "$tries" -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    if [ -e "$dir/sshd.pid" ] && kill -0 "$host" 2>/dev/null; then
        port=$candidate
        break
    fi
    wait "$host" 2>/dev/null || true
done
[ -n "$port" ] || die "sshd did not start: $(cat "$dir/sshd.err")"
printf '[127.0.0.1]:%s %s\n' "$port" "$(cat "$dir/host_key.pub")" >"$dir/known_hosts"

client="ssh -F /dev/null -i $dir/client_key -o IdentitiesOnly=yes -o UserKnownHostsFile=$dir/known_hosts -o NumberOfPasswordPrompts=1 -o PasswordAuthentication=no -p $port"

if [ "$interactive" = yes ]; then
    cat <<TEXT

Everything runs. In another terminal of this machine, as root:

  $client alice@127.0.0.1
  $client bob@127.0.0.1

alice approves pushes and has passcode 123456; bob denies pushes and has
passcode 654321. What Duo is asked appears here. Ctrl-C ends it all.

TEXT
    tail -f "$dir/asked" &
    tail=$!
    trap 'kill $tail 2>/dev/null; exit 0' INT TERM HUP
    wait "$host" || true
    exit 0
fi

# Types the answer once the question is there: script(1) gives ssh the terminal that it wants.
log_in() { # user, answer, command
    : >"$dir/screen"
    mkfifo "$dir/keys"
    status=0
    (
        exec 3>"$dir/keys"
        tries=0
        until grep -q 'Passcode or option' "$dir/screen" 2>/dev/null || [ "$tries" -gt 200 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
        sleep 0.2
        printf '%s\n' "$2" >&3
        # The keyboard stays there until ssh is done. Who is asked again gives up, with Ctrl-C.
        while [ -e "$dir/keys" ]; do
            if [ "$(grep -c 'Passcode or option' "$dir/screen")" -gt 1 ]; then
                printf '\003' >&3
            fi
            sleep 0.2
        done
    ) &
    typist=$!
    # Where this script runs in the background, Ctrl-C is ignored, and ssh would send an empty answer.
    timeout 60 script -qefc "env --default-signal=INT $client $1@127.0.0.1 '$3'" "$dir/screen" <"$dir/keys" >/dev/null 2>&1 || status=$?
    rm -f "$dir/keys"
    wait "$typist" 2>/dev/null || true
    tr -d '\r' <"$dir/screen" | grep -v '^Script \(started\|done\)' | sed '/^$/d; s/^/    /'
    return "$status"
}

failures=0
show() { # title, user, answer, in|out
    say "$1"
    : >"$dir/asked"
    status=0
    log_in "$2" "$3" "echo; echo \"logged in as \$(id -un)\"" || status=$?
    came=out
    if [ "$status" -eq 0 ] && grep -q "logged in as $2" "$dir/screen"; then
        came=in
    fi
    echo "    -> $came (ssh's exit status $status)"
    echo "    Duo was asked:"
    sed 's/^duo-sim: #[0-9]* //' "$dir/asked" | cut -c 1-140 | sed 's/^/      /'
    if [ "$came" != "$4" ] || [ ! -s "$dir/asked" ]; then
        echo "    THIS SHOULD HAVE BEEN: $4"
        failures=$((failures + 1))
    fi
}

show "alice, by push" alice 1 in
show "alice, by passcode" alice 123456 in
show "bob, who denies the push" bob 1 out

if [ "$failures" -gt 0 ]; then
    die "$failures of 3 logins did not go as they should"
fi
say "all three logins went as they should"
