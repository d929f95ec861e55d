"""``bootz masa import``: everything of a file, or nothing."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from masa.world import EK, NOW, PIN, make_folder
from pki import make_pair

from bootz.errors import BootzError
from bootz.masa.folder import MasaFolder, open_masa
from bootz.masa.importing import import_file
from bootz.masa.ledger.nouns import AccountType, ComponentName, Role, User
from bootz.masa.store.schema import METADATA
from bootz.masa.tokens import digest_of
from bootz.masa.tpm import ek_public_key

TOKEN = "given-token-of-alice"
PPK = make_pair("ppk").key.public_key()
PEM = PPK.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
EXPIRES = NOW + timedelta(days=1)


def document() -> dict[str, object]:
    return {
        "organisations": [
            {"name": "acme", "groups": [{"name": "lab", "groups": [{"name": "rack"}]}]},
            {"name": "beta"},
        ],
        "users": [
            {"name": "alice", "org": "acme", "token": TOKEN, "roles": {"acme": "ADMIN"}},
            {"name": "bot", "org": "beta", "type": "service-account",
             "roles": {"acme/lab": "REQUESTOR"}},
            {"name": "staff", "org": "beta", "support": True},
        ],
        "delegations": [{"group": "acme/lab", "org": "beta"}],
        "components": [
            {"ien": 9, "serial": "S1", "org": "acme", "group": "acme/lab/rack", "model": "8201",
             "mac": "02:00:00:00:00:01", "platform_primary_key": PEM},
            {"ien": "9", "serial": "S2", "org": "acme", "ek_certificate": "ek.der"},
        ],
        "certificates": [
            {"group": "acme", "certificate": base64.b64encode(PIN).decode(), "expires": EXPIRES},
        ],
    }  # fmt: skip


@pytest.fixture
def masa(tmp_path: Path) -> object:
    (tmp_path / "ek.der").write_bytes(EK.der)
    folder = open_masa(make_folder(tmp_path), clock=lambda: NOW)
    yield folder
    folder.close()


def write(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def dump(masa: MasaFolder) -> list[object]:
    with masa.database.read() as connection:
        return [
            tuple(row)
            for table in METADATA.sorted_tables
            for row in connection.execute(table.select())
        ]


def test_a_file_is_loaded_whole(tmp_path: Path, masa: MasaFolder) -> None:
    report = import_file(masa, write(tmp_path, document()), dry_run=False)
    assert not report.errors
    assert report.counts == {
        "organisations": 2, "users": 3, "delegations": 1, "roles": 2, "components": 2,
        "certificates": 1,
    }  # fmt: skip
    with masa.records() as records:
        lab = records.group_id("acme/lab")
        rack = records.group_id("acme/lab/rack")
        bot = User("bot", AccountType.SERVICE_ACCOUNT, "org-beta")
        assert records.book.roles_of(bot) == {lab: Role.REQUESTOR}
        holder = records.directory.holder_of(digest_of(TOKEN))
        assert holder is not None
        assert holder.caller.user == User("alice", AccountType.USER, "org-acme")
        first = records.component(ComponentName("9", "s1"))
        assert first.child_group_id == rack
        spki = PPK.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert first.tpm.platform_primary_key == spki
        assert records.component(ComponentName("9", "S2")).tpm.ek_certificate == EK.der
        (cert,) = records.book.certificates_in("org-acme")
        assert (cert.certificate, cert.expires_at) == (PIN, EXPIRES)
        assert list(report.cert_ids.values()) == [cert.cert_id]


def test_the_cas_of_an_ek_are_kept_behind_it(tmp_path: Path, masa: MasaFolder) -> None:
    issuing = make_pair("issuing", ca=True).der
    padded = EK.der + issuing + b"\xff" * 100
    (tmp_path / "ek.der").write_bytes(padded)
    assert not import_file(masa, write(tmp_path, document()), dry_run=False).errors
    with masa.records() as records:
        kept = records.component(ComponentName("9", "S2")).tpm
    assert kept.ek_certificate == EK.der + issuing
    spki = EK.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert ek_public_key(kept) == spki


def test_a_dry_run_checks_everything_and_stores_nothing(tmp_path: Path, masa: MasaFolder) -> None:
    before = dump(masa)
    report = import_file(masa, write(tmp_path, document()), dry_run=True)
    assert not report.errors
    assert report.counts["components"] == 2
    assert dump(masa) == before


def test_an_import_that_is_repeated_is_refused_and_harmless(
    tmp_path: Path, masa: MasaFolder
) -> None:
    path = write(tmp_path, document())
    assert not import_file(masa, path, dry_run=False).errors
    before = dump(masa)
    assert import_file(masa, path, dry_run=False).errors
    assert dump(masa) == before


Path3 = tuple[str, int, str]

WRONG: tuple[tuple[str, int, str, object, str], ...] = (
    ("organisations", 1, "name", "acme", "organisations[1]"),
    ("organisations", 1, "name", "no such/name", "organisations[1]"),
    ("users", 0, "org", "gamma", "users[0]"),
    ("users", 0, "token", "short", "users[0]"),
    ("users", 0, "name", "a b", "users[0]"),
    ("users", 0, "roles", {"acme/none": "ADMIN"}, "users[0].roles.acme/none"),
    ("users", 0, "roles", {"beta": "ADMIN"}, "users[0].roles.beta"),
    ("users", 0, "roles", {"acme": "SUPPORT"}, "users[0].roles.acme"),
    ("users", 1, "type", "robot", "users[1].type"),
    ("users", 1, "admin", True, "users[1].admin"),
    ("delegations", 0, "org", "acme", "delegations[0]"),
    ("delegations", 0, "group", "acme/none", "delegations[0]"),
    ("components", 0, "ien", 8, "components[0]"),
    ("components", 0, "serial", " S1", "components[0]"),
    ("components", 0, "serial", 17, "components[0].serial"),
    ("components", 1, "serial", "s1", "components[1]"),
    ("components", 0, "mac", "02:00", "components[0]"),
    ("components", 0, "group", "beta/none", "components[0]"),
    ("components", 0, "endorsement_key", "missing.pem", "components[0]"),
    ("components", 0, "platform_primary_key", "-----BEGIN PUBLIC KEY-----", "components[0]"),
    ("components", 1, "endorsement_key", PEM, "components[1]"),
    ("components", 1, "idevid_issuer", "%", "components[1]"),
    ("certificates", 0, "certificate", "QUJD" * 30, "certificates[0]"),
    ("certificates", 0, "expires", "2020-01-01T00:00:00Z", "certificates[0]"),
    ("certificates", 0, "expires", "2999-01-01T00:00:00", "certificates[0].expires"),
    ("certificates", 0, "group", "org-none", "certificates[0]"),
)


@pytest.mark.parametrize("case", WRONG, ids=range(len(WRONG)))
def test_one_wrong_row_keeps_everything_out_and_is_named(
    tmp_path: Path, masa: MasaFolder, case: tuple[str, int, str, object, str]
) -> None:
    kind, index, key, value, place = case
    content = document()
    content[kind][index][key] = value  # type: ignore[index]
    before = dump(masa)
    report = import_file(masa, write(tmp_path, content), dry_run=False)
    assert any(error.where.startswith(f"file.yaml: {place}") for error in report.errors), [
        str(error) for error in report.errors
    ]
    assert TOKEN not in "".join(map(str, report.errors))
    assert dump(masa) == before


def test_all_errors_are_named_at_once(tmp_path: Path, masa: MasaFolder) -> None:
    content = document()
    content["components"][0]["mac"] = "x"  # type: ignore[index]
    content["components"][1]["ien"] = "1"  # type: ignore[index]
    report = import_file(masa, write(tmp_path, content), dry_run=False)
    assert len(report.errors) == 2


@pytest.mark.parametrize(
    "content", ["{", "- 1", "a: [", "users: 1", "!!python/object/apply:os.getcwd []", "\x00"]
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, masa: MasaFolder, content: str) -> None:
    before = dump(masa)
    try:
        refused = bool(import_file(masa, write(tmp_path, content), dry_run=False).errors)
    except BootzError:
        refused = True
    assert refused
    assert dump(masa) == before
