#!/usr/bin/env bash
set -euo pipefail
# SoftHSM 2.6.1 and CPython 3.11 (Debian 12): after C_Initialize the next root certificate that the
# ssl module loads as DER is an error, "no such engine", although it has been added. It is so once:
# the same call is good then, and with PEM it always is. SoftHSM asks for the engine rdrand, without
# which Debian builds OpenSSL, and leaves the error in the thread's queue; at the end of DER the ssl
# module takes what stands there for its own. SoftHSM's pull request 859 clears the queue, and
# CPython 3.12.1 does not show it.
# Needs: apt-get install softhsm2 python3.11 openssl. Exits 0 while this holds, 1 once it does not.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=root \
    -keyout "$folder/key.pem" -out "$folder/root.pem" 2>/dev/null
mkdir "$folder/tokens"
echo "directories.tokendir = $folder/tokens" >"$folder/softhsm2.conf"
export SOFTHSM2_CONF=$folder/softhsm2.conf
cat >"$folder/look.py" <<'PYTHON'
import ctypes
import platform
import ssl
import sys

with open(sys.argv[1], encoding="ascii") as file:
    pem = file.read()
der = ssl.PEM_cert_to_DER_cert(pem)


def load(root):
    """Return what loading says, and how many roots are there then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=root)
        said = "loaded"
    except ssl.SSLError as error:
        said = error.reason
    return said, len(context.get_ca_certs())


module = ctypes.CDLL(sys.argv[2])
good, refused = ("loaded", 1), ("NO_SUCH_ENGINE", 1)
holds = True


def see(what, root, wanted):
    global holds
    seen = load(root)
    print(f"{what}: {seen[0]}, {seen[1]} root added")
    holds &= seen == wanted


see("before it, DER", der, good)
print(f"C_Initialize returns {module.C_Initialize(None)}")
see("after it, DER", der, refused)
see("once more, DER", der, good)
module.C_Finalize(None)
print(f"C_Initialize returns {module.C_Initialize(None)}")
see("after it, PEM", pem, good)
print(f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}")
sys.exit(0 if holds else 1)
PYTHON
echo "softhsm2 $(dpkg-query -W -f='${Version}' softhsm2), libssl3 $(dpkg-query -W -f='${Version}' libssl3)"
/usr/bin/python3.11 "$folder/look.py" "$folder/root.pem" /usr/lib/softhsm/libsofthsm2.so
# Seen with softhsm2 2.6.1-2.1, Python 3.11.2 and libssl3 3.0.19-1~deb12u2:
#   before it, DER: loaded, 1 root added
#   C_Initialize returns 0
#   after it, DER: NO_SUCH_ENGINE, 1 root added
#   once more, DER: loaded, 1 root added
#   C_Initialize returns 0
#   after it, PEM: loaded, 1 root added
