#!/usr/bin/env bash
set -euo pipefail
# Kea 2.2.0 (Debian 12): what is no decimal number in the data of an integer option is read as a
# hexadecimal one, also without 0x. So "1d", meant as one day, goes out as 29 without an error or a
# warning, and "5e3" as 1507, where "1h" is refused; "010" is 10.
# Exits 0 while this holds, 1 once it does not.
. "$(dirname "$0")/../tools/findings/kea_link.sh"
mac=00:aa:00:00:00:10
link $mac
echo "kea-dhcp4 $(kea-dhcp4 -v), package $(dpkg-query -W -f='${Version}' kea-dhcp4-server)"
try() {
    cat >"$folder/kea.conf" <<CONF
{ "Dhcp4": { "interfaces-config": { "interfaces": [ "s0" ] },
  "lease-database": { "type": "memfile", "persist": false },
  "option-data": [ { "name": "arp-cache-timeout", "data": "$1" } ],
  "subnet4": [ { "id": 1, "subnet": "10.0.0.0/24", "pools": [ { "pool": "10.0.0.9-10.0.0.20" } ] } ] } }
CONF
    if ip netns exec "$server" kea-dhcp4 -t "$folder/kea.conf" >"$folder/said" 2>&1; then
        serve 4
        got=$((16#$(ask 4 $mac 35 | sed -n 's/^35 //p')))
        ! grep -E 'WARN|ERROR' "$folder/log" | grep -F arp-cache-timeout || got="$got, warned"
        stop
    else
        got=refused
    fi
    echo "data $1: $got"
    [ "$got" = "$2" ] || { echo "changed"; exit 1; }
}
try 10 10
try 010 10
try 0x10 16
try 1h refused
try 1d 29
try 5e3 1507
# Seen with 2.2.0:
#   data 10: 10
#   data 010: 10
#   data 0x10: 16
#   data 1h: refused
#   data 1d: 29
#   data 5e3: 1507
