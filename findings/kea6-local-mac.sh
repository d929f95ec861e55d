#!/usr/bin/env bash
set -euo pipefail
# Kea 2.2.0 (Debian 12): a DHCPv6 reservation by hw-address finds a client by its link-local address
# (mac-sources: ipv6-link-local) only if its MAC address is not locally administered. A client with
# 02:..., as in most labs and virtual machines, gets no address, though its link-local address is
# made of the MAC address in the same way.
# Exits 0 while this holds, 1 once it does not.
. "$(dirname "$0")/../tools/findings/kea_link.sh"
echo "kea-dhcp6 $(kea-dhcp6 -v), package $(dpkg-query -W -f='${Version}' kea-dhcp6-server)"
try() {
    link "$1"
    cat >"$folder/kea.conf" <<CONF
{ "Dhcp6": { "interfaces-config": { "interfaces": [ "s0" ] },
  "lease-database": { "type": "memfile", "persist": false },
  "server-id": { "type": "LL", "persist": false }, "mac-sources": [ "ipv6-link-local" ],
  "subnet6": [ { "id": 1, "subnet": "2001:db8::/64", "interface": "s0", "reservations": [
    { "hw-address": "$1", "ip-addresses": [ "2001:db8::12" ] } ] } ] } }
CONF
    serve 6
    # IA_NA with an IAADDR option (5) and its address, or with a status (13).
    answer=$(ask 6 "$1" 23 | sed -n 's/^3 //p' || true)
    stop
    ip netns delete "$server"
    ip netns delete "$client"
    case $answer in *20010db8000000000000000000000012*) got=address ;; *) got="no address" ;; esac
    echo "MAC $1: $got"
    [ "$got" = "$2" ] || { echo "changed: $answer"; exit 1; }
}
try 00:aa:00:00:00:10 address
try 02:aa:00:00:00:10 "no address"
# Seen with 2.2.0:
#   MAC 00:aa:00:00:00:10: address
#   MAC 02:aa:00:00:00:10: no address
