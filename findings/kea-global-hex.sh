#!/usr/bin/env bash
set -euo pipefail
# Kea 2.2.0 (Debian 12): the same option-data, a code and hex without csv-format, is taken in a
# subnet, a pool, a class and a reservation, but refused in the global option-data: there alone
# csv-format is true if it is not given, and the option has no definition.
# Needs: apt-get install kea-dhcp4-server. Exits 0 while this holds, 1 once it does not.
PATH="$PATH:/usr/sbin:/sbin"
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
export KEA_LOCKFILE_DIR=$folder KEA_PIDFILE_DIR=$folder KEA_LOGGER_DESTINATION=$folder/log

option='"option-data": [ { "code": 143, "data": "0016626f6f74" } ]'
subnet='"id": 1, "subnet": "10.0.0.0/24"'
host='"reservations": [ { "hw-address": "02:aa:00:00:00:10", '
class='"client-classes": [ { "name": "a", '
declare -A files=(
    [subnet]="{\"Dhcp4\": { \"subnet4\": [ { $subnet, $option } ] } }"
    [reservation]="{\"Dhcp4\": { \"subnet4\": [ { $subnet, $host $option } ] } ] } }"
    [class]="{\"Dhcp4\": { $class $option } ], \"subnet4\": [ { $subnet } ] } }"
    [global]="{\"Dhcp4\": { $option, \"subnet4\": [ { $subnet } ] } }"
)
echo "kea-dhcp4 $(kea-dhcp4 -v), package $(dpkg-query -W -f='${Version}' kea-dhcp4-server)"
[ "$(kea-dhcp4 -v)" = 2.2.0 ] || { echo "seen with 2.2.0 alone"; exit 1; }
for place in subnet reservation class global; do
    echo "${files[$place]}" >"$folder/$place.conf"
    code=0
    kea-dhcp4 -t "$folder/$place.conf" >"$folder/said" 2>&1 || code=$?
    echo "$place: exit $code $(sed "s|$folder/||g" "$folder/said" | tail -1)"
    [ "$place" = global ] && wanted=1 || wanted=0
    [ "$code" = "$wanted" ] || { echo "changed: $place"; exit 1; }
done
# Seen with 2.2.0:
#   subnet: exit 0
#   reservation: exit 0
#   class: exit 0
#   global: exit 1 Error encountered: definition for the option 'dhcp4.' having code '143' does not exist (...)
