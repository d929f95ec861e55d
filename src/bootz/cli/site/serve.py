"""``bootz serve``: the Bootz server of a site, with its image store."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, verb

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.config.site import SiteConfig


def _endpoints(
    _context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...] | None:
    from bootz.config.values import parse_endpoint

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


def _workers(
    _context: click.Context, parameter: click.Parameter, value: str | None
) -> int | str | None:
    from bootz.config.values import read_workers

    try:
        return None if value is None else read_workers(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from error


@verb("serve")
@click.option(
    "--workers",
    metavar="N|auto",
    callback=_workers,
    help="Processes that serve routers; auto: one per core. Default: as in bootz.yaml.",
)
@click.option(
    "--ready-file",
    type=FILE,
    help="File with all addresses as JSON, written once the server listens and removed at its end.",
)
@click.option("--no-door", is_flag=True, help="Without the operator's door beside the server.")
@click.option("--part", hidden=True, help="What the parent of several processes says to a child.")
@click.pass_obj
def command(
    cli: Cli,
    ready_file: Path | None,
    workers: int | str | None,
    listen: tuple[str, ...] | None,
    image_http: tuple[str, ...] | None,
    image_https: tuple[str, ...] | None,
    part: str | None,
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

    import uvloop

    from bootz.cli.logs import configure_log
    from bootz.cli.service_manager import ServiceManager
    from bootz.cli.service_process import harden
    from bootz.cli.site.door_process import serve_beside
    from bootz.cli.site.workers.child import read_child
    from bootz.images.limits import ImageLimits
    from bootz.keystore.files import atomic_write
    from bootz.server.listening import Bound, Listens, bound_record
    from bootz.server.serving import CutShort

    child = None if part is None else read_child(part)
    manager = ServiceManager(os.environ, os.getpid())
    fields = {} if child is None else {"part": child.name, "number": child.number}

    def settle(config: SiteConfig) -> None:
        configure_log(config.log.format, config.log.level, **fields)

    def tell(bound: Bound) -> None:
        _settle_memory()
        if ready_file is not None:
            atomic_write(ready_file, json.dumps(bound_record(bound)).encode() + b"\n", mode=0o644)
        manager.ready()

    site = cli.site()
    settle(site.config)
    bounds = (site.config.limits, ImageLimits())
    harden(sum(each.max_connections + each.max_waiting for each in bounds))
    listens = Listens(listen, image_http, image_https)
    count = _count(site.config.workers if workers is None else workers)
    if child is not None:
        from bootz.cli.site.workers.roles import serve_part

        served = serve_part(site, child, listens=listens, on_settings=settle, on_bound=tell)
    elif count > 1:
        # The parent loads nothing of what its children do.
        from bootz.cli.site.workers.parent import serve_crew

        served = serve_crew(site, count, listens=listens, on_settings=settle, on_bound=tell)
    else:
        from bootz.cli.site.workers.roles import serve_whole

        served = serve_whole(site, listens=listens, on_settings=settle, on_bound=tell)
    if child is None and site.config.operator.listen and not no_door:
        served = serve_beside(site.root, served)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(manager.watching(served))
            except CutShort:
                if ready_file is not None:
                    ready_file.unlink(missing_ok=True)
                # The runner would wait for threads, and they perhaps for the database.
                os._exit(0)
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)


def _count(workers: int | str) -> int:
    return len(os.sched_getaffinity(0)) if workers == "auto" else int(workers)


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
