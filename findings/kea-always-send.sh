#!/usr/bin/env bash
set -euo pipefail
# Kea 2.2.0 (Debian 12): "always-send": true in any place makes Kea send an option unasked, and the
# value that goes out is that of the most specific place, also where that one says
# "always-send": false.
# Exits 0 while this holds, 1 once it does not.
. "$(dirname "$0")/../tools/findings/kea_link.sh"
mac=02:aa:00:00:00:10
link $mac
echo "kea-dhcp4 $(kea-dhcp4 -v), package $(dpkg-query -W -f='${Version}' kea-dhcp4-server)"
try() {
    cat >"$folder/kea.conf" <<CONF
{ "Dhcp4": { "interfaces-config": { "interfaces": [ "s0" ] },
  "lease-database": { "type": "memfile", "persist": false },
  "option-data": [ { "name": "boot-file-name", "data": "global", "always-send": $1 } ],
  "subnet4": [ { "id": 1, "subnet": "10.0.0.0/24", "reservations": [
    { "hw-address": "$mac", "ip-address": "10.0.0.12",
      "option-data": [ { "name": "boot-file-name", "data": "host", "always-send": false } ] } ] } ] } }
CONF
    serve 4
    got=$(ask 4 $mac 1 | sed -n 's/^67 //p' | text)
    stop
    echo "always-send $1 globally, false at the host; not asked for: the client gets ${got:-nothing}"
    [ "$got" = "$2" ] || { echo "changed"; exit 1; }
}
try false ''
try true host
# Seen with 2.2.0:
#   always-send false globally, false at the host; not asked for: the client gets nothing
#   always-send true globally, false at the host; not asked for: the client gets host
