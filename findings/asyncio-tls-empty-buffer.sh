#!/usr/bin/env bash
set -euo pipefail
# CPython 3.11 (asyncio) and uvloop 0.23.0: set_write_buffer_limits(high=0) is documented to call
# pause_writing() whenever the buffer becomes non-empty. On a TLS transport it is called with an
# empty buffer too, then resume_writing(), then pause_writing() again: at every second look at the
# buffer. A protocol that waits until it may write, and that is not looked at once more, waits for
# ever. With high=1 a TLS transport does what is documented, and a TCP transport does with both.
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
import ssl
import sys

import uvloop

folder = sys.argv[1]


def contexts():
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
    return ours, ssl.create_default_context(cafile=f"{folder}/certificate.pem")


async def pauses_when_empty(tls, high):
    """Return how often pause_writing() was called while nothing waited, in three short answers."""
    empty = 0

    class Answers(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            transport.set_write_buffer_limits(high=high)

        def data_received(self, data):
            self.transport.write(b"x")

        def pause_writing(self):
            nonlocal empty
            empty += self.transport.get_write_buffer_size() == 0

    ours, theirs = contexts() if tls else (None, None)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", 0, ssl=ours)
    host, port = server.sockets[0].getsockname()
    options = {"ssl": theirs, "server_hostname": "localhost"} if tls else {}
    reader, writer = await asyncio.open_connection(host, port, **options)
    for _ in range(3):
        writer.write(b"a")
        await reader.readexactly(1)
    writer.close()
    server.close()
    return empty


holds = True
for name, run in (("asyncio", asyncio.run), ("uvloop", uvloop.run)):
    for tls in (False, True):
        for high in (0, 1):
            seen = run(pauses_when_empty(tls, high))
            print(f"{name}, {'TLS' if tls else 'TCP'}, high={high}: pauses with an empty buffer: {seen}")
            holds &= (seen > 0) == (tls and high == 0)
print(f"Python {platform.python_version()}, uvloop {uvloop.__version__}")
sys.exit(0 if holds else 1)
PYTHON
"$folder/venv/bin/python" "$folder/look.py" "$folder"
# Seen with Python 3.11.7 and uvloop 0.23.0:
#   TCP with high=0 and 1, and TLS with high=1: 0; TLS with high=0: 3 or 4, with both loops
