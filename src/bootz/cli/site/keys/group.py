"""``bootz keys``: what the site signs with, and its change without a restart.

Nothing here prints a private key. A running server looks after its keys by itself; SIGHUP makes
it look at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import reading
from bootz.cli.site.options import key_file_options
from bootz.keystore.kinds import KeyKind
from bootz.server.key_roles import KeyRole

if TYPE_CHECKING:
    from datetime import datetime

    from bootz.server.keys.keyring import Keyring
    from bootz.server.site import Site

command = noun("keys", "The site's keys and certificates.")

_OWNER_P256: Final = "owner-p256"

_ROTATED: Final = {
    KeyRole.OWNER.value: (
        "The next answer is signed with the new owner certificate. Routers accept it because it "
        "chains to the same pinned domain certificate; the vouchers stay valid."
    ),
    _OWNER_P256: (
        "It signs for routers whose profile, vendor or overrides say `owner_key: p256`; the first "
        "owner key signs for all others."
    ),
    KeyRole.TRUST_ANCHOR.value: (
        "Routers that start now get the new trust anchor. Those that have an earlier one can "
        "still connect, because it certifies the new one. When all of them have reported, run "
        "`bootz keys retire`."
    ),
    KeyRole.TLS.value: (
        "New connections get the new certificate; routers verify it with their trust anchor."
    ),
}
_NOTICED: Final = "A running server picks this up by itself; SIGHUP makes it do so at once."


@command.command("show")
@click.pass_obj
def show(cli: Cli) -> None:
    """Show the keys and certificates in use, their expiry, and where each key is stored."""
    from bootz.cli.site.keys.rows import COLUMNS, key_rows, warn_of_owner
    from bootz.server.operations.vouchers.records import count_pinned
    from bootz.trust.certificates import fingerprint

    site = cli.site()
    now = site.clock()
    cli.output.rows(COLUMNS, list(key_rows(site, now)))
    warn_of_owner(cli, site, now)
    pinned = fingerprint(site.pinned_domain_cert())
    with reading(cli) as connection:
        counted = Counter(count_pinned(connection))
    others = sum(count for each, count in counted.items() if each != pinned)
    cli.output.message(f"Stored vouchers that pin this site's certificate: {counted[pinned]}.")
    if others:
        cli.output.warning(
            f"{others} stored vouchers pin another certificate and cannot be used here; "
            "ask the manufacturer for new ones"
        )


@command.command("import")
@key_file_options
@click.option(
    "--drop-earlier",
    is_flag=True,
    help="With --trust-anchor: stop serving devices that have an earlier trust anchor.",
)
@click.pass_obj
def import_(cli: Cli, /, *, drop_earlier: bool, **options: Any) -> None:
    """Use keys and certificates of your own PKI.

    A new pinned domain certificate needs new vouchers. A new trust anchor is certified by the
    present one, so routers that have the present one can still connect.
    """
    from bootz.cli.site.keys.rows import tell_changed, warn_of_owner
    from bootz.server.keys.brought import KeyFiles, import_keys

    files = KeyFiles(**options)
    if files == KeyFiles():
        raise click.UsageError(
            "give at least one certificate; --help lists which options belong together"
        )
    site = cli.site()
    now = site.clock()
    before = site.keys.read()
    after = import_keys(site, files.read(), now, keep_earlier=not drop_earlier)
    tell_changed(cli, site, before, after)
    if after.pinned_domain != before.pinned_domain:
        cli.output.warning(
            "vouchers that pin the former certificate can no longer be used: ask the "
            "manufacturer for vouchers that pin the new one, and import them"
        )
    if before.owner_p256 is not None and after.owner_p256 is None:
        cli.output.warning(
            "the P-256 owner certificate led to the former pinned one and is used no longer; the "
            "first owner key signs for all routers until you import another"
        )
    warn_of_owner(cli, site, now)
    cli.output.message(_NOTICED)


@command.command("rotate")
@click.argument("role", type=click.Choice(list(_ROTATED)))
@click.option(
    "--key",
    type=click.Choice([KeyKind.RSA_2048.value, KeyKind.P256.value]),
    default=None,
    help="Type of the owner's new key. Default: that of the present one.",
)
@click.pass_obj
def rotate(cli: Cli, role: str, key: str | None) -> None:
    """Replace an owner's key, the trust anchor or the TLS key, without a restart.

    An owner key of type p256 signs an answer in a tenth of the time. Choose it where every router
    of the site verifies ECDSA. Where some do, `rotate owner-p256` issues one beside the first key:
    it signs for routers whose profile, vendor or overrides say `owner_key: p256`.
    """
    from bootz.cli.site.keys.rows import tell_changed
    from bootz.server.keys.rotation import (
        rotate_owner,
        rotate_owner_p256,
        rotate_tls,
        rotate_trust_anchor,
    )

    if key is not None and role != KeyRole.OWNER.value:
        raise click.UsageError("--key belongs to the role owner")
    rotations: dict[str, Callable[[Site, datetime], Keyring]] = {
        KeyRole.OWNER.value: partial(rotate_owner, kind=None if key is None else KeyKind(key)),
        _OWNER_P256: rotate_owner_p256,
        KeyRole.TRUST_ANCHOR.value: rotate_trust_anchor,
        KeyRole.TLS.value: rotate_tls,
    }
    site = cli.site()
    before = site.keys.read()
    after = rotations[role](site, site.clock())
    tell_changed(cli, site, before, after)
    cli.output.message(f"{_ROTATED[role]} {_NOTICED}")


@command.command("retire")
@click.argument("number", type=click.IntRange(1), required=False)
@click.option(
    "--owner-p256",
    is_flag=True,
    help="Instead: destroy the P-256 owner key; the first one signs for all routers again.",
)
@click.pass_obj
def retire(cli: Cli, number: int | None, *, owner_p256: bool) -> None:
    """Stop serving routers that have the earlier trust anchor NUMBER, or one before it.

    NUMBER is that of `trust-anchor/NUMBER` in `bootz keys show`. Default: all earlier ones.
    """
    from bootz.cli.site.keys.rows import tell_changed
    from bootz.server.keys.rotation import retire_owner_p256, retire_trust_anchors

    if owner_p256 and number is not None:
        raise click.UsageError("NUMBER is that of a trust anchor; leave it out with --owner-p256")
    site = cli.site()
    before = site.keys.read()
    if owner_p256:
        tell_changed(cli, site, before, retire_owner_p256(site))
        cli.output.message(
            f"Retired: {before.owner_p256}. The first owner key signs for all routers. {_NOTICED}"
        )
        return
    after = retire_trust_anchors(site, site.clock(), number=number)
    gone = [name for name in before.trust_anchors if name not in after.trust_anchors]
    tell_changed(cli, site, before, after)
    cli.output.message(
        f"Retired: {', '.join(gone)}. Routers that have one of these refuse the server from now on "
        f"and must be bootstrapped again. {_NOTICED}"
    )


@command.command("publish")
@click.pass_obj
def publish(cli: Cli) -> None:
    """Write the certificates, without keys, to the database, where the operator's door reads them.

    A server does so by itself, and so does every command that changes them.
    """
    from contextlib import closing

    from bootz.cli.site.keys.rows import COLUMNS, key_rows
    from bootz.server.keys.publishing import publish_certificates

    site = cli.site()
    with closing(site.database()) as database:
        publish_certificates(site, database)
    cli.output.rows(COLUMNS, list(key_rows(site, site.clock())))


@command.command("door")
@click.pass_obj
def door(cli: Cli) -> None:
    """Issue a TLS certificate for the operator's door under the site's trust anchor.

    Key and certificate are written to door/ in the site, outside of keys/. Name them in
    `operator.tls`, and give the key to the user that the door runs as. A running server renews the
    certificate before its end, for the same key.
    """
    from bootz.server.door_tls import DOOR_CERTIFICATE, DOOR_KEY
    from bootz.server.keys.door import issue_door
    from bootz.trust.certificates import load_certificate, parse_certificates

    site = cli.site()
    path = issue_door(site, site.clock())
    der = parse_certificates(path.read_bytes())[0]
    cli.output.record(
        {
            "certificate": str(path),
            "key": str(site.root / DOOR_KEY),
            "until": load_certificate(der).not_valid_after_utc,
        }
    )
    cli.output.message(
        f"In bootz.yaml: operator: {{tls: {{certificate: {DOOR_CERTIFICATE}, key: {DOOR_KEY}}}}}; "
        "then start the door again. One that names them already takes them over by itself."
    )
