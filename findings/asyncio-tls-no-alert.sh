#!/usr/bin/env bash
set -euo pipefail
# CPython 3.11 (asyncio) and uvloop 0.23.0: a server that refuses a handshake closes the connection
# without the alert that OpenSSL has written for the client. With TLS 1.3, where a client is done
# before its certificate is judged, it sees no error at all: the connection ends as if the server
# had nothing to say. With the same context a blocking socket sends the alert. It is CPython's issue
# 98078; its fix (pull request 153620) is newer than 3.11.
# Exits 0 while this holds, 1 once it does not.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
cat >"$folder/look.py" <<'PYTHON'
import asyncio
import platform
import socket
import ssl
import sys
import threading

import uvloop

folder = sys.argv[1]
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def server_context():
    """Return a context that refuses whoever has no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
    context.load_verify_locations(f"{folder}/certificate.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def ask(address, version):
    """Return what a client without a certificate sees."""
    context = ssl.create_default_context(cafile=f"{folder}/certificate.pem")
    context.minimum_version = context.maximum_version = version
    try:
        with socket.create_connection(address) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                return f"reads {secured.recv(1)}"
    except ssl.SSLError as error:
        return error.reason


def blocking():
    seen = []
    for version in VERSIONS:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve(listener=listener):
                connection, _ = listener.accept()
                with connection:
                    try:
                        server_context().wrap_socket(connection, server_side=True)
                    except ssl.SSLError:
                        return

            server = threading.Thread(target=serve)
            server.start()
            seen.append(ask(listener.getsockname(), version))
            server.join()
    return seen


async def on_a_loop():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=server_context())
    address = server.sockets[0].getsockname()
    seen = [await asyncio.to_thread(ask, address, version) for version in VERSIONS]
    server.close()
    return seen


holds = True
silent = ["UNEXPECTED_EOF_WHILE_READING", "reads b''"]
for name, seen, wanted in (
    ("blocking", blocking(), ["SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV13_ALERT_CERTIFICATE_REQUIRED"]),
    ("asyncio", asyncio.run(on_a_loop()), silent),
    ("uvloop", uvloop.run(on_a_loop()), silent),
):
    print(f"{name}: the client has with TLS 1.2 {seen[0]}, with TLS 1.3 {seen[1]}")
    holds &= seen == wanted
print(f"Python {platform.python_version()}, uvloop {uvloop.__version__}, {ssl.OPENSSL_VERSION}")
sys.exit(0 if holds else 1)
PYTHON
"$folder/venv/bin/python" "$folder/look.py" "$folder"
# Seen with Python 3.11.7, uvloop 0.23.0 and OpenSSL 3.0.19; the client has
#   blocking: with TLS 1.2 SSLV3_ALERT_HANDSHAKE_FAILURE, with TLS 1.3 TLSV13_ALERT_CERTIFICATE_REQUIRED
#   asyncio, uvloop: with TLS 1.2 UNEXPECTED_EOF_WHILE_READING, with TLS 1.3 reads b''
