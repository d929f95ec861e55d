# A fresh Debian that is booted by systemd-nspawn, and words to work in it; check-deb and check-debian
# source this. Needs root, mmdebstrap and systemd-container, and Debian's mirror.
root=$PWD
package=$(ls "$root"/dist/bootz_*.deb)
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
base=${BASE_TAR:-$root/build/check-deb/$suite.tar}
work=$(mktemp -d /var/tmp/bootz-check.XXXXXX)
machine=$work/machine
leader=""
nspawn=""

end() {
    status=$?
    if [ "$status" != 0 ] && [ -n "$leader" ]; then inside journalctl --no-pager --lines 15 >&2 || true; fi
    [ -z "$leader" ] || kill -TERM "$leader" 2>/dev/null || true
    [ -z "$nspawn" ] || { kill "$nspawn" 2>/dev/null || true; wait "$nspawn" 2>/dev/null || true; }
    rm -rf --one-file-system "$work"
    exit "$status"
}
trap end EXIT
trap 'echo "$0: line $LINENO does not hold" >&2' ERR

fails() { echo "$(basename "$0"): $1" >&2; exit 1; }
inside() {
    nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup \
        env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
as() { user=$1; shift; inside setpriv --reuid "$user" --regid "$user" --init-groups env "$@"; }
install_deb() {
    inside apt-get -qq -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install -y \
        --no-install-recommends "$@" >"$work/apt.log" 2>&1 || { tail -25 "$work/apt.log" >&2; return 1; }
}
property() { inside systemctl show --value --property "$2" "$1"; }
said() { inside journalctl --unit "$1" --output cat --no-pager | grep >/dev/null "\"event\": \"$2\""; }
until_true() {
    what=$1; shift
    for _ in $(seq 300); do if "$@"; then return 0; fi; sleep 0.2; done
    fails "$what"
}

# Make the machine, with the package as /root/bootz.deb. What it and the packages that are named
# depend on comes from the mirror now: the machine itself reaches no network.
unpack() {
    mkdir -p "$(dirname "$base")" "$machine"
    [ -s "$base" ] || mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates "$suite" "$base"
    tar -C "$machine" -xf "$base"
    cp "$package" "$machine/root/bootz.deb"
    chroot "$machine" apt-get -qq update >/dev/null
    chroot "$machine" apt-get -qq install -y --no-install-recommends --download-only /root/bootz.deb "$@" >/dev/null
}

boot() {
    systemd-nspawn --quiet --directory "$machine" --boot --register=no --keep-unit --private-network --link-journal=no \
        --console=pipe </dev/null >"$work/console.log" 2>&1 &
    nspawn=$!
    for _ in $(seq 300); do
        leader=$(pgrep --parent "$nspawn" | head -1 || true)
        [ -n "$leader" ] && [ "$(inside systemctl is-system-running 2>/dev/null || true)" = running ] && break
        sleep 0.2
    done
    [ "$(inside systemctl is-system-running)" = running ] || fails "the machine does not come up"
}
