"""Where a vendor's vouchers come from: set by options or a file, checked at birth."""

from __future__ import annotations

from pathlib import Path

import pytest
from operations.shell import Shell

OVGS = ("--ovgs", "masa.example.net:50070", "--cert-id", "cert-1", "--token-file", "token")


def source(shell: Shell) -> object:
    return shell.json("vendor", "show", "Acme")["settings"].get("voucher_source")


def test_ovgs_is_set_changed_and_cleared(shell: Shell) -> None:
    shell.ok("vendor", "set", "Acme", *OVGS, "--tls-roots", "roots.pem", "--lifetime", "30")
    expected = {
        "ovgs": "masa.example.net:50070",
        "cert_id": "cert-1",
        "token_file": str(Path.cwd() / "token"),
        "tls_roots": str(Path.cwd() / "roots.pem"),
        "lifetime_days": 30,
    }
    assert source(shell) == expected
    shell.ok("vendor", "set", "Acme", "--cert-id", "cert-2")
    shell.ok("vendor", "set", "Acme", "--alias", "Acme Ltd")
    assert source(shell) == expected | {"cert_id": "cert-2"}
    shell.ok("vendor", "set", "Acme", "--ovgs", "")
    assert source(shell) is None


def test_a_folder_takes_the_place_of_ovgs(shell: Shell, tmp_path: Path) -> None:
    shell.ok("vendor", "set", "Acme", *OVGS)
    shell.ok("vendor", "set", "Acme", "--voucher-folder", str(tmp_path))
    assert source(shell) == {"folder": str(tmp_path)}


def test_a_file_has_the_rare_keys(shell: Shell) -> None:
    text = (
        "{ovgs: '[::1]:50070', cert_id: c, token_variable: OVGS_TOKEN, plaintext: true,\n"
        " metadata_key: cookie, metadata_template: 'access_token={token}', ek_roots: ek.pem}\n"
    )
    shell.ok("vendor", "set", "Acme", "--voucher-source", shell.file("source.yaml", text))
    kept = source(shell)
    assert isinstance(kept, dict)
    assert (kept["metadata_key"], kept["plaintext"]) == ("cookie", True)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{ovgs: 'masa:1', folder: /x, cert_id: c, token_file: t}",
        "{folder: /x, cert_id: c}",
        "{ovgs: 'masa:1', token_file: t}",
        "{ovgs: 'masa:1', cert_id: c}",
        "{ovgs: 'masa:1', cert_id: c, token_file: t, ek_intermediates: i}",
        "{ovgs: 'masa:1', cert_id: c, token_file: t, token_variable: T}",
        "{ovgs: 'masa:1', cert_id: c, token_variable: 'a b'}",
        "{ovgs: 'masa', cert_id: c, token_file: t}",
        "{ovgs: 'masa:0', cert_id: c, token_file: t}",
        "{ovgs: '::1:5', cert_id: c, token_file: t}",
        "{ovgs: 'ma sa:1', cert_id: c, token_file: t}",
        "{ovgs: 'masa:1', cert_id: c, token_file: t, lifetime_days: 0}",
        "{ovgs: 'masa:1', cert_id: c, token_file: t, metadata_key: Authorization}",
        "{ovgs: 'masa:1', cert_id: c, token_file: t, metadata_key: grpc-timeout}",
        "{ovgs: 'masa:1', cert_id: c, token_file: t, metadata_template: Bearer}",
        '{ovgs: "masa:1", cert_id: c, token_file: t, metadata_template: "{token}\\r\\nx"}',
        "{ovgs: 'masa:1', cert_id: c, token_file: t, plaintext: true}",
        "{ovgs: 'masa:1', cert_id: c, token_file: t, token: secret}",
    ],
)
def test_a_source_that_cannot_be_is_refused(shell: Shell, text: str) -> None:
    file = shell.file("source.yaml", text)
    assert shell.refused("vendor", "set", "Acme", "--voucher-source", file) == "vendor-invalid"
    assert source(shell) is None


def test_ovgs_needs_the_enterprise_number(shell: Shell) -> None:
    ca = str(shell.root / "acme.der")
    assert shell.refused("vendor", "add", "Other", "--ca", ca, *OVGS) == "vendor-invalid"
    shell.ok("vendor", "add", "Other", "--ca", ca, "--ien", "7", *OVGS)


def test_both_at_once_is_a_mistake(shell: Shell) -> None:
    code, _, _ = shell.run("vendor", "set", "Acme", *OVGS, "--voucher-folder", "x")
    assert code == 2
