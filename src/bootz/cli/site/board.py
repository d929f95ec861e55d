"""``bootz board``: the operator's door of a site (API and board), in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, verb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bootz.config.values import Endpoint
    from bootz.server.api.app import Part


@verb("board")
@click.option("--listen", multiple=True, metavar="ADDRESS:PORT", help="Instead of operator.listen.")
@click.option(
    "--ready-file",
    type=FILE,
    help="File with the addresses as JSON, written once the door listens, removed at its end.",
)
@click.option("--until-stdin-ends", is_flag=True, hidden=True)
@click.pass_obj
def command(
    cli: Cli, listen: tuple[str, ...], ready_file: Path | None, *, until_stdin_ends: bool
) -> None:
    """Serve API and board until SIGTERM, on loopback unless it has TLS.

    It needs no key of the owner: run it as a user who cannot read keys/.
    """
    import asyncio
    import json
    import os
    from datetime import UTC, datetime

    import uvloop
    from pydantic import ValidationError

    from bootz.cli.logs import configure_log
    from bootz.cli.service_manager import ServiceManager
    from bootz.cli.service_process import harden
    from bootz.cli.site.door_surroundings import door_surroundings
    from bootz.config.operator import OperatorSettings
    from bootz.config.reading import load_config
    from bootz.config.values import parse_endpoint
    from bootz.errors import ConfigError
    from bootz.keystore.files import atomic_write
    from bootz.server.api.serving import serve_door
    from bootz.server.board.app import install

    manager = ServiceManager(os.environ, os.getpid())
    root = cli.site_folder()
    config = load_config(root / "bootz.yaml")
    if listen:
        try:
            operator = OperatorSettings.model_validate(
                {**config.operator.model_dump(), "listen": listen}
            )
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            words = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in faults)
            raise click.BadParameter(words, param_hint="--listen") from error
        config = config.model_copy(update={"operator": operator})
    endpoints = [parse_endpoint(text) for text in config.operator.listen]
    if not endpoints:
        raise ConfigError("site-config-invalid", "names no address", where="operator.listen")

    def bound(found: Sequence[Endpoint]) -> None:
        if ready_file is not None:
            told = {"door": [str(each) for each in found]}
            atomic_write(ready_file, json.dumps(told).encode() + b"\n", mode=0o644)
        manager.ready()

    configure_log(config.log.format, config.log.level)
    parts: list[Part] = [install]
    if config.operator.oidc is not None:
        try:
            from bootz.server.api.oidc.routes import oidc_part
        except ImportError as error:
            raise ConfigError(
                "oidc-library-missing", f"there is no {error.name}", where="operator.oidc"
            ) from error
        parts.append(oidc_part(config.operator.oidc, root))
    harden()
    # Routers come first, where both want the processor.
    os.nice(5)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                manager.watching(
                    serve_door(
                        root,
                        config,
                        endpoints,
                        door_surroundings(root, config),
                        clock=lambda: datetime.now(UTC),
                        on_bound=bound,
                        with_stdin=until_stdin_ends,
                        parts=parts,
                    )
                )
            )
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
