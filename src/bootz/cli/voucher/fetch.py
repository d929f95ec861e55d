"""``bootz voucher fetch``, ``renew``, ``missing``, ``expiring``: vouchers from their sources."""

from __future__ import annotations

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.names import SERIAL, VENDOR

_serials = click.argument("serials", metavar="[SERIAL]...", nargs=-1, type=SERIAL)
_vendor = click.option("--vendor", type=VENDOR, help="Only cards of this manufacturer.")


@click.command("fetch", cls=Verb)
@_serials
@_vendor
@click.option(
    "--by-server",
    is_flag=True,
    help="Ask the running server to fetch those that are missing; `bootz voucher fetches` shows "
    "how far it is.",
)
@click.option(
    "--label", metavar="KEY[=VALUE]", help="With --by-server: only cards of chassis with it."
)
@click.pass_obj
def fetch_command(
    cli: Cli, serials: tuple[str, ...], vendor: str | None, label: str | None, *, by_server: bool
) -> None:
    """Fetch vouchers now, for the cards given, otherwise for all that have none.

    A running server does this by itself as soon as a chassis is added.
    """
    if by_server:
        from bootz.cli.voucher.fetches import ask_server

        ask_server(cli, serials, vendor, label)
        return
    if label is not None:
        raise click.UsageError("--label goes with --by-server")
    from bootz.cli.voucher.fetching import fetch_and_print, look_up

    looked = look_up(cli, serials, vendor)
    cards = looked.cards if serials else [card for card in looked.cards if card.held is None]
    fetch_and_print(cli, looked, cards, force=bool(serials))


@click.command("renew", cls=Verb)
@_serials
@_vendor
@click.option(
    "--within",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="Renew vouchers that expire within N days. Default: those with a third or less of their "
    "validity left.",
)
@click.pass_obj
def renew_command(
    cli: Cli, serials: tuple[str, ...], vendor: str | None, within: int | None
) -> None:
    """Replace vouchers that will expire by new ones; the old ones are kept until they expire.

    A running server does this by itself.
    """
    from bootz.cli.voucher.fetching import fetch_and_print, is_due, look_up

    looked = look_up(cli, serials, vendor)
    cards = [
        card
        for card in looked.cards
        if card.held is not None and (serials or is_due(card, looked.now, within))
    ]
    fetch_and_print(cli, looked, cards, force=bool(serials))


@click.command("missing", cls=Verb)
@_vendor
@click.pass_obj
def missing_command(cli: Cli, vendor: str | None) -> None:
    """List the cards that have no voucher, or only one that has ended."""
    from bootz.cli.voucher.fetching import look_up, print_cards

    looked = look_up(cli, (), vendor)
    print_cards(cli, looked, [card for card in looked.cards if card.held is None])


@click.command("expiring", cls=Verb)
@_vendor
@click.option(
    "--days",
    type=click.IntRange(0, 36500),
    default=30,
    show_default=True,
    help="Within N days.",
)
@click.pass_obj
def expiring_command(cli: Cli, vendor: str | None, days: int) -> None:
    """List the cards whose last voucher expires soon."""
    from bootz.cli.voucher.fetching import is_due, look_up, print_cards

    looked = look_up(cli, (), vendor)
    cards = [
        card for card in looked.cards if card.held is not None and is_due(card, looked.now, days)
    ]
    cards.sort(key=lambda card: (card.held and card.held.expires_on) or looked.now)
    print_cards(cli, looked, cards)
