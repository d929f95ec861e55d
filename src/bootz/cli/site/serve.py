"""``bootz serve``: the Bootz server of a site, with its image store."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, verb

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.config import SiteConfig


def _endpoints(
    _context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...] | None:
    from bootz.config import parse_endpoint

    for text in value:
        try:
            parse_endpoint(text)
        except ValueError as error:
            raise click.BadParameter(str(error), param=parameter) from error
    return value or None


def _listen_option(name: str, what: str) -> click.Option:
    return click.Option(
        [name],
        multiple=True,
        metavar="ADDRESS:PORT",
        callback=_endpoints,
        help=f"{what}; repeatable, port 0 lets the system choose. Default: as in bootz.yaml.",
    )


@verb("serve")
@click.option(
    "--ready-file",
    type=FILE,
    help="File with all addresses as JSON, written once the server listens and removed at its end.",
)
@click.option("--no-door", is_flag=True, help="Without the operator's door beside the server.")
@click.pass_obj
def command(
    cli: Cli,
    ready_file: Path | None,
    listen: tuple[str, ...] | None,
    image_http: tuple[str, ...] | None,
    image_https: tuple[str, ...] | None,
    *,
    no_door: bool,
) -> None:
    """Serve until SIGTERM; SIGHUP reads settings and keys again.

    The operator's door (`operator.listen`) runs beside it, in a process of its own that opens no
    key of the owner.

    The log goes to stderr, one JSON object a line. The event "serving" has all addresses.
    """
    import asyncio
    import json
    from contextlib import AsyncExitStack

    import uvloop

    from bootz.cli.logs import configure_log
    from bootz.cli.service_process import harden
    from bootz.cli.site.door_process import door_beside
    from bootz.cli.site.image_store import site_depot
    from bootz.images.limits import ImageLimits
    from bootz.keystore.files import atomic_write
    from bootz.server.doors import Bound, Listens
    from bootz.server.serving import bound_record, serve_site

    def settle(config: SiteConfig) -> None:
        configure_log(config.log.format, config.log.level)

    def tell(bound: Bound) -> None:
        _settle_memory()
        if ready_file is not None:
            atomic_write(ready_file, json.dumps(bound_record(bound)).encode() + b"\n", mode=0o644)

    async def serve() -> None:
        async with AsyncExitStack() as beside:
            if site.config.operator.listen and not no_door:
                await beside.enter_async_context(door_beside(site.root))
            await serve_site(
                site,
                listens=Listens(listen, image_http, image_https),
                depot=site_depot(),
                on_settings=settle,
                on_bound=tell,
            )

    site = cli.site()
    settle(site.config)
    bounds = (site.config.limits, ImageLimits())
    harden(sum(each.max_connections + each.max_waiting for each in bounds))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)


command.params[:0] = [
    _listen_option("--listen", "Address at which routers reach the server"),
    _listen_option("--image-http", "Address of the image store over HTTP"),
    _listen_option("--image-https", "Address of the image store over HTTPS"),
]


def _settle_memory() -> None:
    """Take what was made at start out of garbage collection, and collect less often.

    Connections leave reference cycles behind, so that collection stays on; but walking all
    modules each time would cost a quarter of what an onboarding costs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
