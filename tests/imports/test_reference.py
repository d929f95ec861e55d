"""The Go reference's configuration: ``init --from-reference``, ``import --format reference``."""

from __future__ import annotations

import base64
import copy
import json
import re
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from crash import killed_runs
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from imports.conftest import Shell, make_site
from imports.reference_world import IMAGE, NOW, ReferenceSite, key_der, text
from served import served

from bootz.cli.main import run
from bootz.errors import BootzError, ConfigError, WireError
from bootz.keystore.files import KeyKind, generate_key, write_certificates, write_private_key
from bootz.server.importing.reference import items as reference_module
from bootz.server.importing.reference.reading import read_reference
from bootz.server.keys.owner import load_owner_identity
from bootz.server.keys.tls_certificates import check_tls
from bootz.server.rendering.templates import Templates
from bootz.server.site import Site, open_site
from bootz.wire.dialects import DIALECTS
from bootz.wire.reference import parse_reference_config

SAMPLE = Path(__file__).parents[3] / "shared/vectors/reference"

_made = cache(ReferenceSite)


@pytest.fixture
def made() -> ReferenceSite:
    return copy.copy(_made())


@pytest.fixture
def config(made: ReferenceSite) -> Any:
    """The message, for this test alone."""
    made.config = copy.deepcopy(made.config)
    return made.config


def init(tmp_path: Path, made: ReferenceSite, *words: object, code: int = 0) -> Site | None:
    root = tmp_path / "site"
    path = made.write(tmp_path)
    assert run(["init", str(root), "--from-reference", str(path), *map(str, words)]) == code
    if code:
        assert not root.exists()
        return None
    return open_site(root)


def made_site(tmp_path: Path, made: ReferenceSite, *words: object) -> Site:
    site = init(tmp_path, made, *words)
    assert site is not None
    return site


def test_a_site_is_made_of_the_file(tmp_path: Path, made: ReferenceSite, shell: Shell) -> None:
    site = made_site(tmp_path, made)
    assert site.config.listen == ("127.0.0.1:15006",)
    keyring = site.keys.read()
    assert site.keys.certificates(keyring.trust_anchors[0])[0] == made.anchor.der
    check_tls(site.keys, keyring, NOW)
    identity = load_owner_identity(site.owner_files(), NOW)
    assert identity.pinned_domain_cert == made.pinned.der
    assert keyring.pinned_domain is not None
    assert not site.keys.has_key(keyring.pinned_domain)
    chassis = {each["serial_number"] or "modular": each for each in documents(shell, site)}
    fixed, modular = chassis["FX1"], chassis["modular"]
    assert fixed["hostname"] == "r1"
    assert fixed["streaming"] is False
    assert "boot_mode" not in fixed
    assert modular["modular"] is True
    assert modular["skip_idevid_serial_check"] is True
    assert [set(card["tpm"]) for card in modular["cards"]] == [{"ek"}, {"ppk"}]
    assert fixed["overrides"]["boot_config"] is True
    assert fixed["overrides"]["credentials"] == {}
    assert "pathz" not in fixed["overrides"]
    assert modular["overrides"] == {"boot_config": False}
    assert fixed["overrides"]["image"]["url"] == "http://192.0.2.1/nowhere"
    vouchers = shell(site, "voucher", "list")
    assert {(each["serial_number"], each["vendor"]) for each in vouchers} == {
        ("FX1", "Acme"),
        ("RP0", "Other"),
        ("RP1", "Other"),
    }


def documents(shell: Shell, site: Site) -> list[dict[str, Any]]:
    exported: list[dict[str, Any]] = shell(site, "export", "--only", "chassis")["chassis"]
    return [{"serial_number": "", "streaming": True, **each} for each in exported]


def test_what_looks_like_a_template_arrives_as_it_stands(
    tmp_path: Path, made: ReferenceSite, shell: Shell
) -> None:
    site = made_site(tmp_path, made)
    rendered = json.dumps(shell(site, "chassis", "render", "FX1", "--dialect", "current"))
    wanted = made.config.chassis[0].boot_config.vendor_config.decode()
    assert json.dumps(wanted)[1:-1] in rendered
    assert "{{ kept }}" in rendered


@given(st.text(alphabet='{}%#" ab\n\\', max_size=30))
def test_any_text_survives_the_templates(words: str) -> None:
    assert Templates().render(reference_module._escape(words), {}, "key") == words


def test_no_private_key_is_in_the_database_or_printed(
    tmp_path: Path, made: ReferenceSite, capsys: pytest.CaptureFixture[str]
) -> None:
    site = made_site(tmp_path, made)
    told = capsys.readouterr()
    database = (site.root / "bootz.db").read_bytes()
    for secret in made.secrets():
        assert secret not in database
        assert base64.b64encode(secret) not in database
        assert text(secret)[40:80] not in told.out + told.err
    assert "without encryption" in told.err
    files = [path for path in site.root.rglob("*") if path.is_file()]
    idevid = made.idevid_key.private_numbers().private_value.to_bytes(32, "big")
    assert not any(idevid in path.read_bytes() for path in files)


def test_cas_go_to_those_whose_cards_lead_to_them_or_to_all(
    tmp_path: Path, made: ReferenceSite, shell: Shell
) -> None:
    site = made_site(tmp_path, made)
    counts = {each["name"]: each["idevid_cas"] for each in shell(site, "vendor", "list")}
    # Nobody's cards show where the second CA belongs.
    assert counts == {"Acme": 2, "Other": 1}


def test_the_image_is_taken_and_the_url_becomes_ours(
    tmp_path: Path, made: ReferenceSite, shell: Shell
) -> None:
    image = tmp_path / "xr.img"
    image.write_bytes(IMAGE)
    site = made_site(tmp_path, made, "--image", image)
    assert shell(site, "image", "show", "xr", "7.11", "--verify")["verified"] is True
    fixed = next(each for each in documents(shell, site) if each["serial_number"] == "FX1")
    assert fixed["overrides"]["image"] == {"name": "xr", "version": "7.11"}


def test_another_file_is_not_the_image(
    tmp_path: Path, made: ReferenceSite, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "xr.img"
    image.write_bytes(b"something else")
    init(tmp_path, made, "--image", image, code=1)
    assert "reference-image-unmatched" in capsys.readouterr().err
    assert run(["init", str(tmp_path / "x"), "--image", str(image)]) == 1
    assert "reference-argument" in capsys.readouterr().err


Spoil = Callable[[ReferenceSite, Any], None]


def _set(path: str, value: object) -> Spoil:
    def spoil(_made: ReferenceSite, config: Any) -> None:
        *steps, last = re.findall(r"\w+", path)
        for step in steps:
            config = config[int(step)] if step.isdecimal() else getattr(config, step)
        setattr(config, last, value)

    return spoil


def _foreign_voucher(made: ReferenceSite, config: Any) -> None:
    voucher = made.other.voucher("FX1", made.other.der)
    config.chassis[0].control_cards[0].ownership_voucher = text(voucher)


def _unpinned(_made: ReferenceSite, config: Any) -> None:
    for chassis in config.chassis:
        for card in chassis.control_cards:
            card.ownership_voucher = ""


def _weak(made: ReferenceSite, config: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    config.owner_certificate.key = text(key_der(rsa.generate_private_key(65537, 1024)))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_set("trust_anchor.cert", "!!"), "reference-config-invalid"),
        (_set("trust_anchor.key", text(b"no key")), "reference-config-invalid"),
        (_set("trust_anchor.key", text(key_der(generate_key(KeyKind.P256)))), "key-mismatch"),
        (_set("owner_certificate.cert", text(b"x")), "reference-config-invalid"),
        (_weak, "reference-config-invalid"),
        (_set("chassis.0.control_cards.0.ownership_voucher", text(b"x")), "reference-config-inv"),
        (_set("chassis.0.control_cards.0.public_key", text(b"x")), "import-refused"),
        (_set("chassis.0.control_cards.0.idevid.cert", "%"), "reference-config-invalid"),
        (_set("chassis.0.control_cards.0.serial_number", ""), "import-refused"),
        (_set("chassis.0.manufacturer", ""), "import-refused"),
        (_set("chassis.0.intended_image.os_image_hash", "sha512:1"), "reference-config-invalid"),
        (_set("chassis.0.intended_image.hash_algorithm", "md5"), "import-refused"),
        (_set("chassis.0.boot_config.vendor_config", b"\xff"), "reference-config-invalid"),
        (_set("chassis.0.boot_mode", 9), "reference-config-invalid"),
        (_set("chassis.1.control_cards.1.serial_number", "RP0"), "import-refused"),
        (_set("server_port", "port"), "reference-config-invalid"),
        (_set("server_address", "127.0.0.1:15006x"), "reference-config-invalid"),
        (_set("server_address", "127.0.0.1:15007"), "reference-config-invalid"),
        (_set("server_address", "192.0.2.300:15006"), "reference-config-invalid"),
        (_set("server_address", "a b"), "reference-config-invalid"),
        (_foreign_voucher, "reference-config-invalid"),
        (_unpinned, "keys-arguments"),
    ],
)
def test_what_does_not_hold_makes_no_site(
    tmp_path: Path,
    made: ReferenceSite,
    config: Any,
    capsys: pytest.CaptureFixture[str],
    spoil: Spoil,
    reason: str,
) -> None:
    spoil(made, config)
    init(tmp_path, made, code=1)
    assert reason in capsys.readouterr().err
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".unfinished")]


@pytest.mark.parametrize(
    ("address", "port", "listen"),
    [
        ("127.0.0.1:15006", "", "127.0.0.1:15006"),
        ("127.0.0.1:15007", "15007", "127.0.0.1:15007"),
        ("127.0.0.1", "", "127.0.0.1:15006"),
        ("[2001:db8::1]:9339", "", "[2001:db8::1]:9339"),
        ("2001:db8::1", "9339", "[2001:db8::1]:9339"),
        ("bootz.example.net:15006", "", "bootz.example.net:15006"),
        (":15006", "", "0.0.0.0:15006"),
        ("", "15008", "0.0.0.0:15008"),
        ("", "", None),
    ],
)
def test_where_it_listened_in_each_release(
    tmp_path: Path, made: ReferenceSite, config: Any, address: str, port: str, listen: str | None
) -> None:
    """Up to v0.7.1 the address has the port in it; since then the port has a field of its own."""
    config.server_address, config.server_port = address, port
    assert read_reference(made.write(tmp_path)).listen == listen


def test_the_name_of_the_hash_is_that_of_each_dialect(
    tmp_path: Path, made: ReferenceSite, config: Any, shell: Shell
) -> None:
    """The file has what its author's newest client reads; older routers know another name."""
    site = made_site(tmp_path, made)
    (fixed,) = [each for each in documents(shell, site) if each["serial_number"] == "FX1"]
    assert "image_hash_algorithm" not in fixed["overrides"]
    for dialect in DIALECTS:
        shown = shell(site, "chassis", "render", "FX1", "--dialect", dialect.name)
        assert dialect.hash_algorithm in json.dumps(shown), dialect.name
    names = {"v0.1.0": "SHA256", "2023-11": "SHA256", "current": "ietf-sztp-conveyed-info:sha-256"}
    assert names.items() <= {each.name: each.hash_algorithm for each in DIALECTS}.items()


def test_without_vouchers_the_pinned_certificate_can_be_named(
    tmp_path: Path, made: ReferenceSite, config: Any
) -> None:
    _unpinned(made, config)
    pinned = tmp_path / "pdc.pem"
    write_certificates(pinned, [made.pinned.der])
    site = made_site(tmp_path, made, "--pinned-domain-cert", pinned)
    assert site.pinned_domain_cert() == made.pinned.der


def test_insecure_mode_is_taken_and_said(
    tmp_path: Path, made: ReferenceSite, config: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    config.chassis[0].boot_mode = 1
    made_site(tmp_path, made)
    assert "insecure mode" in capsys.readouterr().err


def test_kill_9_leaves_all_or_nothing(tmp_path: Path, made: ReferenceSite, shell: Shell) -> None:
    path, root = made.write(tmp_path), tmp_path / "site"
    for _ in killed_runs(["init", str(root), "--from-reference", str(path)], tmp_path, every=37):
        if root.exists():
            break
    assert len(shell(open_site(root), "voucher", "list")) == 3


def test_a_site_that_is_there_takes_it_in(
    tmp_path: Path, made: ReferenceSite, config: Any, shell: Shell
) -> None:
    site = make_site(tmp_path / "site")
    path = made.write(tmp_path)
    image = tmp_path / "xr.img"
    image.write_bytes(IMAGE)
    words = ("import", path, "--format", "reference", "--image", image)
    assert shell(site, *words, code=1)["error"]["reason"] == "reference-keys-differ"
    before = site.keys.read()
    assert len(shell(site, *words, "--take-keys", "--dry-run")) == 8
    assert site.keys.read() == before
    assert shell(site, "vendor", "list") == shell(site, "image", "list") == []
    assert not [path for path in site.images_folder.rglob("*") if path.is_file()]
    assert len(shell(site, *words, "--take-keys")) == 8
    after = site.keys.read()
    assert after.trust_anchors[1:] == before.trust_anchors
    check_tls(site.keys, after, NOW)
    assert site.pinned_domain_cert() == made.pinned.der
    # Once more, and nothing changes; what differs needs the flag.
    assert shell(site, *words) == []
    config.chassis[0].hostname = "r9"
    made.write(tmp_path)
    (row,) = shell(site, *words, code=1)
    assert row["reason"] == "import-differs"
    (change,) = shell(site, *words, "--update")
    assert change["changes"] == ["hostname: r1 → r9"]


def test_an_anchor_can_be_taken_without_the_earlier_one(
    tmp_path: Path, made: ReferenceSite, shell: Shell
) -> None:
    site = make_site(tmp_path / "site")
    words = ("import", made.write(tmp_path), "--format", "reference")
    assert run(["--site", str(site.root), *map(str, words), "--drop-earlier"]) == 2
    before = site.keys.read()
    shell(site, *words, "--take-keys", "--drop-earlier")
    after = site.keys.read()
    assert len(after.trust_anchors) == 1
    assert after.trust_anchors != before.trust_anchors
    check_tls(site.keys, after, NOW)


def test_cas_are_added_to_those_of_a_vendor_on_record(
    tmp_path: Path, made: ReferenceSite, shell: Shell
) -> None:
    site = make_site(tmp_path / "site")
    ca = tmp_path / "ca.pem"
    write_certificates(ca, [made.pinned.der])
    shell(site, "vendor", "add", "ACME", "--ca", ca, "--ien", "77")
    shell(site, "import", made.write(tmp_path), "--format", "reference", "--take-keys")
    vendor = shell(site, "vendor", "show", "acme")
    assert (vendor["name"], vendor["ien"], len(vendor["idevid_ca"])) == ("ACME", "77", 3)


@pytest.mark.parametrize(
    "words",
    [["--take-keys"], ["--image", "x"], ["--format", "reference", "--only", "chassis"]],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, made: ReferenceSite, words: list[str]
) -> None:
    site = make_site(tmp_path / "site")
    path = made.write(tmp_path).rename(tmp_path / "config.yaml")
    assert run(["--site", str(site.root), "import", str(path), *words]) in {1, 2}


SECRET = "MIIEsecretsecretsecret"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"trust_anchor {{ key: {SECRET} }}", "line 1"),
        (f'\ntrust_anchor {{ key: "{SECRET}" key: "{SECRET}" }}', "key appears twice"),
        (f'trust_anchor {{ keys: "{SECRET}" }}', "no field keys"),
        (f'trust_anchor {{ key: "{SECRET}', "line 1"),
        (f"{SECRET}: 1", "line 1"),
        (f"chassis {{ boot_mode: {SECRET} }}", "line 1"),
        (f'chassis {{ streaming_supported: "{SECRET}" }}', "line 1"),
        (f'trust_anchor {{ key: "{SECRET}" }}', "trust_anchor.key"),
        (r'server_address: "127\.0.0.1"', "not protobuf text format"),
        ("chassis { " * 5000, "nested too deeply"),
        ("chassis { boot_config { metadata { fields { value { struct_value {" * 30, "nested"),
        ('vendor_ca_certs: "\xff"', "vendor_ca_certs[0]"),
    ],
)
def test_an_error_names_the_place_and_quotes_nothing(tmp_path: Path, words: str, told: str) -> None:
    path = tmp_path / "config.textproto"
    path.write_text(words)
    with pytest.raises(ConfigError) as caught:
        read_reference(path)
    shown = f"{caught.value} {caught.value.expected} {caught.value.seen}"
    assert told in shown
    assert SECRET not in shown
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_file_is_read_or_refused(data: Any) -> None:
    whole = text_format.MessageToString(_made().config)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 400)))
    damaged = whole[:start] + data.draw(st.text(max_size=8)) + whole[end:]
    try:
        parse_reference_config(damaged)
    except WireError as error:
        shown = str(error)
        assert not any(text(secret)[:24] in shown for secret in _made().secrets())


def onboard(site: Site, router: Path, capsys: Any, flow: str) -> dict[str, Any]:
    with served(site.root) as server:
        capsys.readouterr()
        words = [
            "--uri",
            f"bootz://{server.address}",
            "--flow",
            flow,
            "--max-attempts",
            "1",
            "--output",
            "json",
        ]
        code = run(["router", "boot", str(router), *words, "--output", "json"])
        shown: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert code == 0, shown
    return shown


def manufacture(
    tmp_path: Path, serial: str, idevid: bytes, key: Any, ca: bytes, vendor: str
) -> Path:
    cert, key_path, anchor = (tmp_path / name for name in ("id.pem", "id.key", "vendor.pem"))
    write_certificates(cert, [idevid])
    write_private_key(key_path, key)
    write_certificates(anchor, [ca])
    router = tmp_path / "router"
    words = ["--serial", serial, "--idevid-cert", str(cert), "--idevid-key", str(key_path)]
    words += ["--vendor-anchor", str(anchor), "--vendor-name", vendor]
    assert run(["router", "manufacture", str(router), *words]) == 0
    return router


PORTS = ("--images-http", "127.0.0.1:0", "--images-https", "127.0.0.1:0")


@pytest.mark.parametrize(
    ("engine", "flow"),
    [
        ("sqlite", "unary"),
        pytest.param("postgresql", "stream-v1", marks=pytest.mark.postgresql),
    ],
)
def test_a_router_of_the_file_onboards(
    tmp_path: Path,
    made: ReferenceSite,
    config: Any,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    engine: str,
    flow: str,
) -> None:
    image = tmp_path / "xr.img"
    image.write_bytes(IMAGE)
    words = ["--image", image, *PORTS]
    if engine == "postgresql":
        words += ["--database", request.getfixturevalue("cluster").url()]
    config.chassis[0].streaming_supported = flow != "unary"
    site = made_site(tmp_path, made, *words)
    idevid = base64.b64decode(config.chassis[0].control_cards[0].idevid.cert)
    router = manufacture(tmp_path, "FX1", idevid, made.idevid_key, made.vendor.der, "Acme")
    shown = onboard(site, router, capsys, flow)
    assert shown["status"] == "BOOTZ_OK"


@pytest.mark.parametrize("flow", ["unary", "stream-v1"])
@pytest.mark.recorded
def test_a_router_of_the_references_own_sample_onboards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flow: str
) -> None:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    config = SAMPLE / "bootz_config.textproto"
    root = tmp_path / "site"
    words = ["--from-reference", str(config), "--image", str(SAMPLE / "image.bin"), *PORTS]
    assert run(["init", str(root), *words]) == 0
    from bootz.wire.generated import reference_config_pb2 as ref

    message = text_format.Parse(config.read_text(), ref.Config())
    card = message.chassis[0].control_cards[0]
    key = load_der_private_key(base64.b64decode(card.idevid.key), None)
    ca = base64.b64decode(message.vendor_ca_certs[0])
    idevid = base64.b64decode(card.idevid.cert)
    router = manufacture(tmp_path, card.serial_number, idevid, key, ca, "Vendor Name")
    shown = onboard(open_site(root), router, capsys, flow)
    assert shown["status"] == "BOOTZ_OK"
    assert shown["image"]["version"] == "1.0"


def test_errors_are_of_our_tree(tmp_path: Path) -> None:
    with pytest.raises(BootzError) as caught:
        read_reference(tmp_path / "missing")
    assert caught.value.reason == "file-unreadable"


def test_half_of_a_surrogate_pair_is_no_text_format() -> None:
    with pytest.raises(WireError) as caught:
        parse_reference_config("chassis { boot_mode: \ud800\ud800 }")
    assert caught.value.reason == "reference-config-invalid"
