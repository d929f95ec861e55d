"""What ``bootz conformance masa`` does: opens the service, or one of its own, and plays."""

import asyncio
import ipaddress
import json
import secrets
import ssl
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
from grpclib.client import Channel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bootz.cli.base import Cli
from bootz.cli.manufacturer import now
from bootz.cli.output import Column, stderr
from bootz.conformance.masa.caller import OvgsAccount, OvgsCaller, TokenForm, Who
from bootz.conformance.masa.ground import COMPONENTS, Customer, OvgsGround
from bootz.conformance.masa.pins import make_pins
from bootz.conformance.masa.plays import MasaCase
from bootz.conformance.masa.suite import chosen_masa_cases, play_masa
from bootz.conformance.report_files import ReportFiles
from bootz.conformance.verdict import JudgedCase, Tried, succeeded, tally
from bootz.errors import ConfigError, unreadable
from bootz.keystore.files import load_certificates
from bootz.processes import WarmCommand, service
from bootz.transport.calling import client_context
from bootz.transport.codec import BytesCodec
from bootz.trust.certificates import AnchorSet, VendorCAs
from bootz.wire.ovgs import messages as pb
from bootz.wire.uri import parse_bootz_uri

_NAME: Final = "bootz conformance masa"
_EXPIRES: Final = timedelta(seconds=4)
"""After which the temporary MASA's expired token is one: its import must come before."""

_TICK_S: Final = 0.1

_MAX_TOKEN: Final = 64 << 10
_COLUMNS: Final = (
    Column("case"),
    Column("result"),
    Column("expected"),
    Column("seconds", right=True),
    Column("why"),
)
_TYPES: Final = {
    "user": pb.ACCOUNT_TYPE_USER,
    "service-account": pb.ACCOUNT_TYPE_SERVICE_ACCOUNT,
}
_NEEDED: Final = ("admin", "org", "ien")


def run_suite(
    cli: Cli,
    options: dict[str, Any],
    patterns: Sequence[str],
    seconds: float,
    reports: tuple[Path | None, Path | None],
    *,
    listing: bool,
    strict: bool,
) -> bool:
    """Play the chosen cases, or list them; return whether the run is good.

    ``reports`` are the files for JUnit XML and for the page.
    """
    cases = chosen_masa_cases(patterns)
    if listing:
        rows = [
            {"case": case.name, "expected": case.expected, "claim": case.claim} for case in cases
        ]
        cli.output.rows((Column("case"), Column("expected"), Column("claim")), rows)
        return True
    if seconds <= 0:
        raise ConfigError("usage", "seconds must be positive", where="--timeout")
    at = now()
    judged = asyncio.run(_play(cases, options, seconds))
    cli.output.rows(_COLUMNS, [_row(case) for case in judged])
    target = options["target"] or "a temporary MASA of this program"
    ReportFiles(*reports).write(_NAME, [Tried(target, judged)], at=at)
    cli.output.message(tally(judged))
    return succeeded(judged, strict=strict)


def _row(case: JudgedCase) -> dict[str, object]:
    """Return the row of a case; what a program wants to know beyond the table goes along."""
    return {
        "case": f"{case.group}/{case.name}",
        "result": case.judgement.value,
        "expected": case.expected,
        "seconds": round(case.seconds, 3),
        "why": case.why,
        "claim": case.claim,
        "came": case.came,
        "source": None if case.source is None else f"{case.source.document}: {case.source.says}",
    }


async def _play(
    cases: Sequence[MasaCase], options: dict[str, Any], seconds: float
) -> list[JudgedCase]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    opened = _given(options, seconds) if options["target"] else _temporary(options, seconds)
    async with opened as ground:
        with Progress(*columns, console=stderr(), transient=True) as bar:
            task = bar.add_task("playing", total=len(cases))
            return await play_masa(
                cases, ground, seconds=seconds, on_case=lambda _: bar.advance(task)
            )


@asynccontextmanager
async def _given(options: dict[str, Any], seconds: float) -> AsyncIterator[OvgsGround]:
    """Open the ground on a service that was given by its address."""
    missing = [f"--{name}" for name in _NEEDED if not options[name]]
    if missing:
        raise click.UsageError(f"--target needs {', '.join(missing)}")
    if len(options["serials"]) != COMPONENTS:
        raise click.UsageError(f"give --serial {COMPONENTS} times")
    accounts: dict[Who, OvgsAccount] = {}
    for who in Who:
        word = options.get(who.value.replace("-", "_"))
        if not word:
            continue
        foreign = who in (Who.FOREIGN, Who.FOREIGN_ADMIN)
        if foreign and not options["foreign_org"]:
            raise click.UsageError(f"--{who.value} needs --foreign-org")
        org = options["foreign_org"] if foreign else options["org"]
        accounts[who] = _account(who, word, org)
    roots = None if options["ca"] is None else load_certificates(options["ca"])
    anchors = [der for path in options["anchors"] for der in load_certificates(path)] or roots
    customer = Customer(
        options["org"],
        options["ien"],
        tuple(options["serials"]),
        options["foreign_org"] or "",
        None if not anchors else VendorCAs(AnchorSet.from_der(anchors)),
    )
    form = TokenForm(options["metadata_key"].lower(), options["metadata_template"])
    if "{token}" not in form.template:
        raise click.UsageError("--metadata-template needs {token}")
    context = _context(options, roots)
    yield _ground(accounts, customer, form, options["target"], context, seconds)


def _account(who: Who, word: str, org_id: str) -> OvgsAccount:
    """Read ``[service-account:]NAME=FILE``."""
    name, _, path = word.partition("=")
    kind, colon, rest = name.partition(":")
    if colon and kind in _TYPES:
        name = rest
    else:
        kind = "user"
    if not name or not path:
        raise click.UsageError(f"--{who.value} {word}: not [service-account:]NAME=FILE")
    try:
        with Path(path).open("rb") as file:
            token = file.read(_MAX_TOKEN).decode("ascii").strip()
    except OSError as error:
        raise unreadable(Path(path), error) from error
    except UnicodeDecodeError:
        token = ""
    if not token or not token.isprintable():
        raise ConfigError("conformance-masa-token", "no token", where=path)
    return OvgsAccount(name, _TYPES[kind], org_id, token)


def _context(options: dict[str, Any], roots: Sequence[bytes] | None) -> ssl.SSLContext | None:
    if (options["client_cert"] is None) != (options["client_key"] is None):
        raise click.UsageError("--client-cert and --client-key go together")
    if options["plaintext"]:
        host = parse_bootz_uri(f"bootz://{options['target']}").host
        if host != "localhost" and not _loopback(host):
            raise click.UsageError("--plaintext is for loopback: tokens would be readable")
        return None
    context = client_context(roots)
    if options["client_cert"] is not None:
        try:
            context.load_cert_chain(
                options["client_cert"], options["client_key"], password=lambda: b""
            )
        except ssl.SSLError as error:
            raise ConfigError(
                "tls-material-unusable",
                f"certificate and key cannot be loaded: {error.reason or error}",
                where=str(options["client_cert"]),
            ) from error
    return context


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _ground(
    accounts: dict[Who, OvgsAccount],
    customer: Customer,
    form: TokenForm,
    target: str,
    context: ssl.SSLContext | None,
    seconds: float,
) -> OvgsGround:
    uri = parse_bootz_uri(f"bootz://{target}")

    def channel(codec: BytesCodec) -> Channel:
        return Channel(uri.host, uri.port, ssl=context, codec=codec)

    caller = OvgsCaller(channel, accounts, form, where=target, seconds=seconds)
    tag = secrets.token_hex(4)
    return OvgsGround(caller, customer, make_pins(now()), tag=tag, clock=now)


@asynccontextmanager
async def _temporary(options: dict[str, Any], seconds: float) -> AsyncIterator[OvgsGround]:
    """Make a MASA with two customers, serve it as another process, and open the ground there."""
    given = [name for name in ("ca", "admin", "org", "ien", "serials") if options[name]]
    if given:
        raise click.UsageError(f"--{given[0].replace('serials', 'serial')} needs --target")
    with tempfile.TemporaryDirectory(prefix="bootz-conformance-") as made:
        folder = Path(made) / "masa"
        org, foreign = "org-conformance", "org-other"
        accounts: dict[Who, OvgsAccount] = {
            who: OvgsAccount(
                who.value,
                pb.ACCOUNT_TYPE_USER,
                foreign if who in (Who.FOREIGN, Who.FOREIGN_ADMIN) else org,
                f"conformance_{secrets.token_urlsafe(24)}",
            )
            for who in Who
            if who not in (Who.UNKNOWN, Who.NONE)
        }
        serials = tuple(
            f"CONF{secrets.token_hex(3).upper()}{number}" for number in range(COMPONENTS)
        )
        async with WarmCommand() as call:
            await call("masa", "init", str(folder), "--ien", "9", "--host", "127.0.0.1")
            book = folder / "conformance.yaml"
            expired = now() + _EXPIRES
            book.write_text(json.dumps(_book(accounts, serials, expired)))
            await call("masa", "import", str(book), "--masa", str(folder))
        words = (
            "masa",
            "serve",
            "--masa",
            folder,
            "--grpc",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        )
        async with service(*words, log=Path(made) / "log") as serving:
            target = str(serving["grpc"][0])  # type: ignore[index]
            roots = load_certificates(folder / "keys" / "root.pem")
            customer = Customer(org, "9", serials, foreign, VendorCAs(AnchorSet.from_der(roots)))
            yield _ground(accounts, customer, TokenForm(), target, client_context(roots), seconds)


def _book(
    accounts: dict[Who, OvgsAccount], serials: Sequence[str], expired: datetime
) -> dict[str, object]:
    """Return what `bootz masa import` reads."""
    users = []
    for who, account in accounts.items():
        org = account.org_id.removeprefix("org-")
        user: dict[str, object] = {"name": account.username, "org": org, "token": account.token}
        if who in (Who.ADMIN, Who.FOREIGN_ADMIN):
            user["roles"] = {org: "ADMIN"}
        if who is Who.EXPIRED:
            user["token_expires"] = expired.isoformat()
        if who is Who.SUPPORT:
            user["support"] = True
        users.append(user)
    return {
        "organisations": [{"name": "conformance"}, {"name": "other"}],
        "users": users,
        "components": [{"ien": "9", "serial": each, "org": "conformance"} for each in serials],
    }
