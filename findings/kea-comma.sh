#!/usr/bin/env bash
set -euo pipefail
# Kea 2.2.0 (Debian 12): the data of an option that is defined as `string`, not as an array, ends at
# the first comma. What follows is dropped without an error or a warning; with a backslash before
# the comma all of it goes out.
# Exits 0 while this holds, 1 once it does not.
. "$(dirname "$0")/../tools/findings/kea_link.sh"
mac=02:aa:00:00:00:10
link $mac
echo "kea-dhcp4 $(kea-dhcp4 -v), package $(dpkg-query -W -f='${Version}' kea-dhcp4-server)"
try() {
    cat >"$folder/kea.conf" <<CONF
{ "Dhcp4": { "interfaces-config": { "interfaces": [ "s0" ] },
  "lease-database": { "type": "memfile", "persist": false },
  "option-def": [ { "name": "list", "code": 143, "type": "string" } ],
  "option-data": [ { "name": "list", "data": "$1" } ],
  "subnet4": [ { "id": 1, "subnet": "10.0.0.0/24", "pools": [ { "pool": "10.0.0.9-10.0.0.20" } ] } ] } }
CONF
    serve 4
    got=$(ask 4 $mac 143 | sed -n 's/^143 //p' | text)
    stop
    echo "data $1: the client gets $got"
    [ "$got" = "$2" ] || { echo "changed"; exit 1; }
}
try 'first,second' 'first'
try 'first\\,second' 'first,second'
# Seen with 2.2.0:
#   data first,second: the client gets first
#   data first\\,second: the client gets first,second
