"""A site full of planted secrets, served: whoever may not see them finds none anywhere.

The owner's key is in a token, the database a PostgreSQL. A router is onboarded and another is
refused, so that journal, events, webhooks and what was sent hold what they hold after a night.
Every route of openapi.json and every page of the board is read; then what fails tells why.

docs/operator-ids.md: O24.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import http.server
import json
import re
import subprocess
import threading
import urllib.parse
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from keystore.softhsm import SoftToken
from pki import make_pair
from site_world import Pki
from store.cluster import Cluster

from bootz.cli.main import run
from bootz.keystore.files import KeyKind, write_certificates
from bootz.keystore.pkcs11 import Pkcs11Signer
from bootz.processes import COMMAND
from bootz.server.api.app import openapi_document
from bootz.server.api.auth.accounts import begin_session, find_account
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.store.database import open_database
from bootz.trust.issuing import CertificateProfile

pytestmark = [pytest.mark.softhsm, pytest.mark.postgresql]

LOOPBACK = "127.0.0.1:0"
PASSWORD = "PLANTEDpersonpassword"
ADDRESSES = ("--listen", LOOPBACK, "--image-http", LOOPBACK, "--image-https", LOOPBACK)


def planted(name: str) -> str:
    return f"PLANTED{name}"


PROFILE: dict[str, Any] = {
    "vendor_config": (
        "hostname {{ chassis.hostname }}\n"
        f"username admin secret {planted('word')}\n"
        f"username ops secret 10 $6$salt${planted('crypt')}\n"
        "snmp-server community {{ variables.snmp_community }} ro\n"
        f"-----BEGIN PRIVATE KEY-----\n{planted('keyblock')}\n-----END PRIVATE KEY-----\n"
    ),
    "oc_config": json.dumps(
        {"openconfig-system:system": {"config": {"password-hashed": planted("openconfig")}}}
    ),
    "boot_password_hash": f"$6$salt${planted('bootpassword')}",
    "bootloader_config": f"{{grub: {{password: {planted('bootloader')}}}}}",
    "credentials": {
        "passwords": [
            {
                "accounts": [
                    {
                        "account": "root",
                        "password": {"plaintext": planted("credentials")},
                        "version": "1",
                        "created_on": "1",
                    }
                ]
            }
        ]
    },
    "script": f"#!/bin/sh\nset password={planted('script')}\n",
    "variables": {"snmp_community": planted("variable"), "vty": {"password": planted("nested")}},
}
BROKEN: dict[str, dict[str, Any]] = {
    # Each fails where it is rendered, with a secret in the text that cannot be read.
    "yaml": {"credentials": "{{ variables.password }}: [\n"},
    "form": {"credentials": "{'{{ variables.password }}': 1}"},
    "template": {"vendor_config": "{{ variables.password.missing.more }}\n"},
    "twice": {"credentials": "{{ variables.password }}: 1\n{{ variables.password }}: 2\n"},
    "undefined": {"vendor_config": "{{ variables[variables.password] }}\n"},
    "number": {"bootloader_config": "{{ variables.password }}: [18014398509481985]\n"},
    "value": {"bootloader_config": "{{ variables.password }}"},
    "filter": {"vendor_config": "{{ variables.password | int(base=variables.password) }}\n"},
}
FILES = (
    "netbox.token",
    "nautobot.token",
    "hook.secret",
    "oidc-secret",
    "ovgs.token",
)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what webhooks bring."""

    bodies: list[bytes]
    reported: threading.Event

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.bodies.append(str(self.headers).encode())
        if b"bootz.report.success" in b"".join(self.bodies):
            self.reported.set()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """The test's output stays short."""


@dataclass
class Shown:
    """What a site has shown: bodies by where they come from."""

    site: Path
    address: str
    secrets: set[bytes]
    tokens: dict[str, str]
    texts: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(self.address, timeout=60)

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        if answer.headers["content-type"] == "text/event-stream; charset=utf-8":
            events = self._events(answer)
            self.connection.close()
            return answer.status, "", events
        return answer.status, str(answer.headers), answer.read()

    @staticmethod
    def _events(answer: http.client.HTTPResponse) -> bytes:
        """Read what there is: the refusal of the second router came last."""
        read = b""
        while b"\nevent: refused" not in read or not read.endswith(b"\n\n"):
            read += answer.readline()
        return read

    def keep(self, where: str, text: bytes | str) -> None:
        self.texts[where] = text.encode() if isinstance(text, str) else text

    def found(self) -> list[tuple[str, str]]:
        """Return where a secret is shown: as it is, or in a form that is easily undone."""
        whole = b"\0".join(set(self.texts.values()))
        return [
            (where, secret.decode("ascii", "replace"))
            for secret in self.secrets
            for form in forms(secret)
            if form in whole
            for where, text in self.texts.items()
            if form in text
        ]


def forms(secret: bytes) -> set[bytes]:
    """Return a secret as it is, in hexadecimal, and in base64 wherever it begins in a text."""
    shifted = (base64.b64encode(b"x" * n + secret)[4:-4] for n in range(3))
    return {secret, secret.hex().encode(), *shifted}


def lines_of_keys(site: Path) -> set[bytes]:
    """Return a line of each private key of the owner."""
    return {
        content.splitlines()[1]
        for path in (site / "keys").rglob("*")
        if path.is_file() and b"PRIVATE KEY" in (content := path.read_bytes())
    }


@contextmanager
def listening() -> Iterator[tuple[str, type[Receiver]]]:
    """Receive webhooks; yield their URL, and what has come."""
    kept = type("Kept", (Receiver,), {"bodies": [], "reported": threading.Event()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kept)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certz(folder: Path) -> tuple[dict[str, Any], bytes]:
    """Return a TLS profile with a key, and a line of the key."""
    pair = make_pair("router")
    certificate, key = (Path(each).read_bytes() for each in pair.save(folder, "certz"))
    chain = {
        "type": "CERTIFICATE_TYPE_X509",
        "encoding": "CERTIFICATE_ENCODING_PEM",
        "certificate": base64.b64encode(certificate).decode(),
        "private_key": base64.b64encode(key).decode(),
    }
    entity = {"version": "1", "created_on": "1", "certificate_chain": {"certificate": chain}}
    profile = {"ssl_profile_id": "mgmt", "primary": True, "certz": {"entities": [entity]}}
    return profile, key.splitlines()[1]


def build(
    folder: Path, hook: str, capsys: Any, database: str
) -> tuple[Path, set[bytes], dict[str, str]]:
    """Make a site that holds every kind of secret, and a router of its own."""
    site, maker = folder / "site", str(folder / "maker")

    def done(*words: str) -> str:
        capsys.readouterr()
        assert run(["--site", str(site), *words]) == 0, capsys.readouterr().err
        return str(capsys.readouterr().out)

    token = SoftToken(folder / "hsm", pin=planted("pin"))
    token.make_rsa("oc")
    (folder / "pki").mkdir()
    own = Pki(folder / "pki", KeyKind.RSA_2048)
    public = Pkcs11Signer.from_uri(token.uri("oc")).public_key
    write_certificates(folder / "oc.pem", [own.issue_for(CertificateProfile.OWNER, public)])
    keys = ("--pinned-domain-cert", str(own.ca), "--owner-cert", str(folder / "oc.pem"))
    profile, key_line = certz(folder)
    (folder / "db").write_text(planted("dbpassword"))
    (folder / "db").chmod(0o600)
    stored = ("--database", database, "--database-password-file", str(folder / "db"))
    named = ("--organization", "Example", "--owner-key", token.uri("oc"))
    done("init", str(site), *named, *keys, *stored)
    for name in FILES:
        (site / name).write_text(planted(name.replace(".", "").replace("-", "")))
        (site / name).chmod(0o600)
    document = yaml.safe_load((site / "bootz.yaml").read_text()) or {}
    document["operator"] = {
        "listen": [LOOPBACK],
        "oidc": {
            "issuer": "https://127.0.0.1:9",
            "client_id": "bootz",
            "client_secret_file": "oidc-secret",
            "base_url": "https://127.0.0.1:9",
            "roles": {"netops": "operator"},
        },
    }
    document["webhooks"] = {"private_targets": ["127.0.0.0/8"]}
    document["sources"] = [
        {
            "name": "netbox",
            "kind": "netbox",
            "url": "http://127.0.0.1:9",
            "token_file": "netbox.token",
            "select": {"status": ["planned"]},
            "profiles": [{"role": "edge", "profile": "base"}],
            "webhook": {"listen": LOOPBACK, "secret_file": "hook.secret", "tls": False},
        },
        {
            "name": "nautobot",
            "kind": "nautobot",
            "url": "http://127.0.0.1:9",
            "token_file": "nautobot.token",
            "select": {"status": ["Planned"]},
            "profiles": [{"role": "edge", "profile": "base"}],
        },
    ]
    (site / "bootz.yaml").write_text(yaml.safe_dump(document))
    done("manufacturer", "init", maker, "--name", "Bootz Labs")
    done("manufacturer", "anchor", maker, "--to", str(folder / "ca.pem"))
    for router, serial in (("r1", "LAB0001"), ("r2", "LAB0002")):
        words = ("--manufacturer", maker, "--serial", serial)
        done("router", "manufacture", str(folder / router), *words)
    voucher = folder / "LAB0001.vcj"
    pinned = (*keys[:2], "--expires", "9")
    maker_words = ("--manufacturer", maker, "--serial", "LAB0001", "--to", str(voucher))
    done("voucher", "issue", *maker_words, *pinned)
    done("vendor", "add", "Bootz Labs", "--ca", str(folder / "ca.pem"))
    (folder / "source.yaml").write_text(
        f"ovgs: 127.0.0.1:9\ncert_id: x\nplaintext: true\ntoken_file: {site}/ovgs.token\n"
    )
    other = ("--ca", str(folder / "ca.pem"), "--ien", "9")
    done("vendor", "add", "Other", *other, "--voucher-source", str(folder / "source.yaml"))
    routers: dict[str, Any] = {
        "profiles": [
            {"name": "base", **PROFILE, "certz_profiles": [profile]},
            *(
                {"name": name, **content, "variables": {"password": planted(f"broken{name}")}}
                for name, content in BROKEN.items()
            ),
        ],
        "chassis": [
            {
                "vendor": "Bootz Labs",
                "serial_number": "LAB0001",
                "hostname": "edge-1",
                "profile": "base",
                "variables": {"enable_secret": planted("chassisvariable")},
            },
            *(
                {"vendor": "Other", "serial_number": f"B-{name}", "profile": name}
                for name in BROKEN
            ),
        ],
    }
    (folder / "routers.yaml").write_text(yaml.safe_dump(routers))
    done("import", str(folder / "routers.yaml"))
    done("voucher", "import", str(voucher))
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    with_password = ("--password-file", str(folder / "password"))
    done("user", "add", "ann", "--role", "operator", *with_password)
    vic = done("user", "add", "vic", "--role", "viewer", "--output", "json")
    secret = base64.b64encode(planted("webhooksecretofthirtytwobytes").encode()).decode()
    (folder / "hook").write_text(f"whsec_{secret}")
    (folder / "hook").chmod(0o600)
    done("webhook", "add", "ops", "--url", hook, "--secret-file", str(folder / "hook"))
    link = done("user", "add", "eve", "--role", "viewer", "--output", "json")
    tokens = {
        role: json.loads(done("token", "add", role, "--role", role, "--output", "json"))["secret"]
        for role in ("viewer", "operator", "security", "admin")
    }
    names = {found.encode() for found in re.findall(r"PLANTED\w+", json.dumps(routers) + PASSWORD)}
    names |= {(site / name).read_bytes() for name in FILES}
    names |= {token.encode() for token in tokens.values()}
    names |= {secret.encode(), planted("webhooksecretofthirtytwobytes").encode()}
    names |= {json.loads(each)["link"].encode() for each in (link, vic)}
    names |= {
        planted("pin").encode(),
        planted("dbpassword").encode(),
        key_line,
        b"$argon2",
    } | lines_of_keys(site)
    return site, names, tokens


def ids_of(shown: Shown, path: str) -> list[str]:
    """Return the names or ids that a list shows to an admin, to fill the paths below it."""
    headers = {"Authorization": f"Bearer {shown.tokens['admin']}"}
    status, _, body = shown.get(f"/api/v1{path}", headers)
    assert status == 200, path
    document = json.loads(body)
    rows = document["results"] if isinstance(document, dict) else document
    found = (each.get("id", each.get("name", each.get("fetch"))) for each in rows)
    return [str(each) for each in found if each is not None]


def paths(shown: Shown) -> list[str]:
    """Return every GET of the API's description, with all ids that there are."""
    found: list[str] = []
    for path, methods in openapi_document()["paths"].items():
        if "get" not in methods:
            continue
        path = path.removeprefix("/api/v1")
        if "{" not in path:
            found.append(path)
            continue
        for key in ids_of(shown, path.partition("/{")[0]) if "uploads" not in path else ["x"]:
            found.append(re.sub(r"\{[^}]*\}", urllib.parse.quote(key), path))
    dialects = ("current", "v0.1.0")
    renders = [each for each in found if each.endswith("/render")]
    found += [f"{each}?dialect={dialect}" for each in renders for dialect in dialects]
    found += [f"/exports?format={form}" for form in ("csv", "yaml", "json")]
    return [f"{each}?after=0" if each.endswith("/stream") else each for each in found]


def kind_of(url: str, *, each: bool) -> str:
    """Return what two pages have in common that show the same: of other rows, if not of each."""
    path, _, query = url.partition("?")
    chosen = urllib.parse.parse_qs(query)
    words = sorted(f"{key}={value[0] if key == 'tab' else ''}" for key, value in chosen.items())
    if not each:
        path = re.sub(r"\d+", lambda found: "1" if found[0] == "1" else "N", path)
    return f"{path}?{'&'.join(words)}"


def crawl(shown: Shown, session: str, *, each: bool) -> Iterator[tuple[str, bytes]]:
    """Follow the links of the board: to each page of each row, or to each kind of page."""
    waiting, seen = deque(["/board/"]), {kind_of("/board/", each=each)}
    while waiting:
        path = waiting.popleft()
        status, _, body = shown.get(path, {"Cookie": f"{SESSION_COOKIE}={session}"})
        assert status < 500, path
        yield path, body
        for link in re.findall(rb'(?:href|hx-get)="([^"#]+)', body):
            url = urllib.parse.urljoin(path, link.decode().replace("&amp;", "&"))
            kind = kind_of(url, each=each)
            if url.startswith("/board/") and "/static/" not in url and kind not in seen:
                seen.add(kind)
                waiting.append(url)


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, cluster: Cluster
) -> Iterator[Shown]:
    """Everything that a site shows after a night to who may not see its secrets."""
    folder = tmp_path_factory.mktemp("planted")
    capture = request.config.pluginmanager.getplugin("capturemanager")
    database = cluster.url()
    with pytest.MonkeyPatch.context() as patch, listening() as (hook, kept):
        patch.setenv("SOFTHSM2_CONF", "")
        yield show(folder, hook, kept, capture, database)
    cluster.drop(database)


class Output:
    """What commands of this process print, outside of a test."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture

    def readouterr(self) -> Any:
        return self._capture.read_global_capture()


def show(folder: Path, hook: str, kept: type[Receiver], capture: Any, database: str) -> Shown:
    site, secrets, tokens = build(folder, hook, Output(capture), database)
    server = subprocess.Popen(
        [*COMMAND, "--site", str(site), "serve", *ADDRESSES],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    log: list[bytes] = []
    try:
        begun = told(server, log, "serving", "door-serving")
        uri = f"bootz://{begun['serving']['bound'][0]}"
        address = begun["door-serving"]["addresses"][0].removeprefix("http://")
        # From now on the pipe is kept empty, so that the server never waits for it.
        rest = threading.Thread(target=lambda: log.extend(server.stderr or ()))
        rest.start()
        boots = ("--uri", uri, "--max-attempts", "1")
        assert run(["router", "boot", str(folder / "r1"), *boots]) == 0
        assert run(["router", "boot", str(folder / "r2"), *boots]) == 1
        made = Shown(site, address, secrets, tokens)
        with closing(made.connection):
            read_all(made, database)
        assert kept.reported.wait(60)
    finally:
        server.terminate()
        server.wait(timeout=60)
        rest.join()
        server.stderr.close()
    made.keep("webhooks", b"\n".join(kept.bodies))
    made.keep("log", b"".join(log))
    output = Output(capture)

    def keep(*words: str) -> None:
        output.readouterr()
        run(["--site", str(site), *words])
        made.keep(" ".join(words), "".join(output.readouterr()))

    for words in (
        ("audit", "list", "-n", "1000", "--output", "json"),
        ("audit", "export"),
        ("audit", "export", "--form", "syslog"),
        ("attempts", "--output", "json"),
        ("status", "--output", "json"),
        ("chassis", "check", "--all", "--no-network", "--output", "json"),
        ("keys", "show", "--output", "json"),
        ("source", "check", "nautobot"),
        ("source", "sync", "netbox"),
    ):
        keep(*words)
    bundle = folder / "bundle.tar.gz"
    assert run(["--site", str(site), "support", str(bundle)]) == 0
    made.keep("support", gzip.decompress(bundle.read_bytes()))
    # A token that is locked by another PIN, and a database that is not there, are told without it.
    (folder / "hsm/pin").write_text(planted("wrongpin"))
    made.secrets.add(planted("wrongpin").encode())
    keep("keys", "show")
    settings = site / "bootz.yaml"
    settings.write_text(settings.read_text().replace(database, "postgresql://bootz@127.0.0.1:9/x"))
    for words in (("status",), ("chassis", "list"), ("db", "status"), ("support", f"{bundle}2")):
        keep(*words)
    without = gzip.decompress(Path(f"{bundle}2").read_bytes())
    made.keep("support, the database away", without)
    return made


def told(server: subprocess.Popen[bytes], log: list[bytes], *events: str) -> dict[str, Any]:
    """Read the log until it has these events, by their names."""
    assert server.stderr is not None
    found: dict[str, Any] = {}
    for line in server.stderr:
        log.append(line)
        if line.startswith(b"{"):
            event: dict[str, Any] = json.loads(line)
            found[event["event"]] = event
        if found.keys() >= set(events):
            return found
    raise AssertionError(b"".join(log).decode())


def read_all(made: Shown, database: str) -> None:
    everything = paths(made)
    for role in ("viewer", "operator"):
        headers = {"Authorization": f"Bearer {made.tokens[role]}"}
        # What one row of a kind shows to a viewer, the others do; of a profile each is another.
        kinds = {kind_of(path, each="/profiles/" in path): path for path in reversed(everything)}
        for path in everything if role == "operator" else reversed(kinds.values()):
            status, names, body = made.get(f"/api/v1{path}", headers)
            assert status < 500, (path, body)
            made.keep(f"{role} {path}", names.encode() + body)
        _, _, body = made.get("/metrics", headers)
        made.keep(f"{role} /metrics", body)
    body = json.dumps({"name": "ann", "password": PASSWORD})
    made.connection.request("POST", "/api/v1/login", body, {"Content-Type": "application/json"})
    answer = made.connection.getresponse()
    made.keep("login", answer.read())
    cookie = re.search(rf"{SESSION_COOKIE}=([^;]+)", answer.headers["set-cookie"])
    assert cookie is not None
    opened = open_database(database)
    with opened.write() as connection:
        account = find_account(connection, "vic")
        viewing = begin_session(connection, account, "127.0.0.1", now=datetime.now(UTC))
    opened.close()
    for name, session in (("ann", cookie[1]), ("vic", viewing)):
        made.secrets.add(session.encode())
        for path, body_ in crawl(made, session, each=name == "ann"):
            made.keep(f"{name} {path}", body_)


def test_no_secret_is_shown_to_who_may_not_see_it(shown: Shown) -> None:
    assert shown.found() == []


def test_what_was_read_is_what_there_is(shown: Shown) -> None:
    """Nothing was missed because it was not there, or not read."""
    assert len(shown.secrets) > 30
    for where in (
        "viewer /chassis",
        "operator /exports?format=yaml",
        "operator /chassis/1/render?dialect=current",
        "operator /chassis/1/sent",
        "operator /events/stream?after=0",
        "ann /board/",
        "viewer /metrics",
    ):
        assert len(shown.texts[where]) > 100, where
    assert len([where for where in shown.texts if where.startswith("ann /board/")]) > 25
    assert b"LAB0001" in shown.texts["webhooks"]
    assert b"hidden:" in shown.texts["operator /exports?format=yaml"]
    assert b"hidden:" in shown.texts["operator /chassis/1/render?dialect=current"]
    assert b"hidden:" in shown.texts["operator /chassis/1/sent"]
    assert b"template" in shown.texts["operator /preflight"]
    assert b'"certz_profiles":"hidden:' in shown.texts["operator /profiles/base"]
    assert b"pkcs11:" in shown.texts["keys show --output json"]
    assert b"source-" in shown.texts["source check nautobot"]
    assert b"database-unavailable" in shown.texts["chassis list"]
