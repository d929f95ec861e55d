"""``bootz masa``: run a manufacturer's voucher service, and keep its records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, FOLDER, Cli, noun
from bootz.cli.manufacturer import KEY_KINDS
from bootz.cli.masa.base import MASA, masa_option
from bootz.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

command = noun(
    "masa",
    "The manufacturer's side: vouchers issued over OVGS and HTTPS.",
    elsewhere={
        **{
            noun: f"bootz.cli.masa.records:{noun}"
            for noun in ("org", "group", "user", "token", "cert")
        },
        **{noun: f"bootz.cli.masa.components:{noun}" for noun in ("serial", "voucher")},
        "db": "bootz.cli.masa.db:db_noun",
        "bench": "bootz.cli.masa.bench:bench_command",
    },
)


@command.command("init")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--name",
    help="Name of the manufacturer. Default: that of --manufacturer, otherwise Example Vendor.",
)
@click.option(
    "--ien", "iens", multiple=True, required=True, help="Enterprise number served; repeatable."
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    default=("localhost", "127.0.0.1", "::1"),
    show_default=True,
    help="DNS name or address of the server, for its TLS certificate; repeatable.",
)
@click.option(
    "--key-type",
    type=click.Choice(KEY_KINDS),
    default="p256",
    show_default=True,
    help="Type of the root's and the signer's key.",
)
@click.option(
    "--manufacturer",
    "maker",
    type=FOLDER,
    metavar="DIR",
    help="Folder of a lab's manufacturer (`bootz manufacturer init`), whose CA becomes the root.",
)
@click.option(
    "--root-cert", type=FILE, metavar="FILE", help="Existing root CA, PEM; needs --root-key."
)
@click.option(
    "--root-key", type=FILE, metavar="FILE", help="Private key of --root-cert; it is not stored."
)
@click.option(
    "--signer-key",
    metavar="URI",
    help="Key in a PKCS#11 token that signs vouchers (RFC 7512). Default: a new key file.",
)
@click.pass_obj
def init(
    cli: Cli,
    folder: Path,
    name: str | None,
    iens: tuple[str, ...],
    hosts: tuple[str, ...],
    key_type: str,
    maker: Path | None,
    root_cert: Path | None,
    root_key: Path | None,
    signer_key: str | None,
) -> None:
    """Create DIR: root, voucher signer and TLS certificate with keys, an empty database."""
    from bootz.manufacturer.room import Manufacturer
    from bootz.masa.folder import make_masa
    from bootz.masa.keys import load_root

    if (root_cert is None) != (root_key is None) or (maker is not None and root_cert is not None):
        raise click.UsageError(
            "give --root-cert and --root-key, or --manufacturer, or none of them"
        )
    if maker is not None:
        name = name or Manufacturer.open(maker, clock=lambda: datetime.now(UTC)).name
        root_cert, root_key = maker / "keys" / "ca.pem", maker / "keys" / "ca.key"
    root = None
    if root_cert is not None and root_key is not None:
        root = load_root(root_cert, root_key)
    make_masa(
        folder,
        name=name or "Example Vendor",
        iens=iens,
        hosts=hosts,
        kind=KEY_KINDS[key_type],
        now=datetime.now(UTC),
        root=root,
        signer_key=signer_key,
    )
    cli.output.record(
        {
            "folder": folder,
            "root": folder / "keys" / "root.pem",
            "voucher_signer": folder / "keys" / "voucher-signer.pem",
            "iens": list(iens),
        }
    )
    cli.output.message(
        f"Owners trust {folder / 'keys' / 'root.pem'}. Next: bootz masa org add NAME "
        f"--masa {folder}; then bootz masa serve --masa {folder}."
    )


@command.command("serve")
@masa_option
@click.option("--grpc", multiple=True, metavar="HOST:PORT", help="OVGS; repeatable.")
@click.option(
    "--http",
    multiple=True,
    metavar="HOST:PORT",
    help="Address for JSON requests over HTTPS; repeatable.",
)
@click.option("--plaintext", is_flag=True, help="Without TLS; on loopback only.")
def serve(masa: Path, grpc: tuple[str, ...], http: tuple[str, ...], *, plaintext: bool) -> None:
    """Serve until SIGTERM; SIGHUP reads the TLS certificate again.

    The log goes to stderr, one JSON object a line. The event "serving" has all addresses.
    """
    import asyncio
    import os

    import uvloop

    from bootz.cli.logs import configure_log
    from bootz.cli.service_manager import ServiceManager
    from bootz.cli.service_process import harden
    from bootz.masa.app import serve_masa

    manager = ServiceManager(os.environ, os.getpid())
    configure_log("json", "info")
    harden()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            manager.watching(
                serve_masa(
                    masa,
                    clock=lambda: datetime.now(UTC),
                    grpc_listen=grpc,
                    http_listen=http,
                    plaintext=plaintext,
                    on_bound=lambda _: manager.ready(),
                )
            )
        )


@command.command("import")
@masa_option
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--dry-run", is_flag=True, help="Only check; store nothing.")
@click.pass_obj
def import_(cli: Cli, masa: Path, file: Path, *, dry_run: bool) -> None:
    """Import organisations, users, components and certificates from a YAML file, in one
    transaction.
    """
    from bootz.masa.importing import import_file

    with MASA.opened(masa) as folder:
        report = import_file(folder, file, dry_run=dry_run)
    for error in report.errors:
        cli.output.error(error)
    if report.errors:
        raise ConfigError("masa-import-refused", f"{len(report.errors)} errors", where=str(file))
    cli.output.record(
        {"dry_run": dry_run, **report.counts, "certificate_ids": list(report.cert_ids.values())}
    )
