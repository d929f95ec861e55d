# Sourced by the findings about Kea: a server and a client in network namespaces of their own.
# Needs: root; apt-get install kea-dhcp4-server kea-dhcp6-server iproute2 python3.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
server=kf-server-$$ client=kf-client-$$
kea=""
end() {
    set +e
    [ -n "$kea" ] && kill "$kea" 2>/dev/null && wait "$kea" 2>/dev/null
    ip netns delete "$server" 2>/dev/null
    ip netns delete "$client" 2>/dev/null
    rm -rf "$folder"
}
trap end EXIT
[ "$(kea-dhcp4 -v)" = 2.2.0 ] || { echo "seen with Kea 2.2.0 alone"; exit 1; }
export KEA_LOCKFILE_DIR=$folder KEA_PIDFILE_DIR=$folder KEA_LOGGER_DESTINATION=$folder/log

# link MAC: wires them; the client's port has this MAC address.
link() {
    ip netns add "$server" && ip netns add "$client" || exit 2
    ip -n "$server" link add s0 type veth peer name c0 netns "$client"
    ip -n "$client" link set c0 address "$1"
    for each in "$server s0" "$client c0"; do
        set -- $each
        ip netns exec "$1" sh -c "echo 0 >/proc/sys/net/ipv6/conf/$2/accept_dad"
        ip -n "$1" link set "$2" up
    done
    ip -n "$server" address add 10.0.0.1/24 dev s0
    ip -n "$server" address add 2001:db8::1/64 dev s0 nodad
}

# serve 4|6: runs Kea with $folder/kea.conf.
serve() {
    ip netns exec "$server" "kea-dhcp$1" -c "$folder/kea.conf" >"$folder/out" 2>&1 &
    kea=$!
    for _ in $(seq 100); do
        grep -qs "DHCP${1}_STARTED" "$folder/log" "$folder/out" && return
        sleep 0.1
    done
    cat "$folder/out" "$folder/log" >&2
    exit 2
}

stop() {
    kill "$kea"
    wait "$kea" 2>/dev/null || true
    kea=""
    rm -f "$folder/log" "$folder/out"
}

# ask 4|6 MAC CODE...: prints the options of the answer.
ask() {
    ip netns exec "$client" python3 "$here/dhcp_ask.py" "$1" c0 "${@:2}"
}

# text: turns hex into text.
text() {
    python3 -c 'import sys; print(bytes.fromhex(sys.stdin.read()).decode())'
}
