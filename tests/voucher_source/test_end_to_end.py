"""Manufacturer, owner and routers as processes that meet on the wire, as a new user tries it."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import AsyncExitStack, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bootz.cli.main import run
from bootz.processes import run_command, service

TOKEN = "a-token-that-was-given-0123456789"
SERIALS = [f"LAB{number:04}" for number in range(10)]
DIALECTS = ("v0.1.0", "2023-11", "v0.3", "current")


def register(path: Path, pinned: str) -> None:
    """What the manufacturer's staff enters of one customer."""
    document = {
        "organisations": [{"name": "acme"}],
        "users": [
            {
                "name": "site",
                "org": "acme",
                "type": "service-account",
                "token": TOKEN,
                "roles": {"acme": "REQUESTOR"},
            }
        ],
        "components": [{"ien": 9, "serial": serial, "org": "acme"} for serial in SERIALS],
        "certificates": [
            {
                "group": "acme",
                "certificate": pinned,
                "expires": datetime.now(UTC) + timedelta(days=60),
            }
        ],
    }
    path.write_text(yaml.safe_dump(document))


async def here(*words: str | Path) -> Any:
    """Run a short command in this process, which costs less than one of its own."""

    def call() -> Any:
        told = io.StringIO()
        with redirect_stdout(told):
            assert run([*map(str, words), "--output", "json"]) == 0
        return json.loads(told.getvalue() or "null")

    return await asyncio.to_thread(call)


async def boot(folder: Path, uri: str, dialect: str = "current") -> dict[str, Any]:
    told: Any = await run_command(
        *("router", "boot", folder, "--uri", uri, "--dialect", dialect),
        *("--retry-wait", "0.2", "--max-attempts", "300", "--progress", "none"),
    )
    return dict(told)


def test_vouchers_come_from_the_masa_and_outlive_it(tmp_path: Path) -> None:
    maker, masa, site = tmp_path / "maker", tmp_path / "masa", tmp_path / "site"
    routers = tmp_path / "routers"

    async def story() -> None:
        await here("manufacturer", "init", maker, "--name", "Acme")
        await here("masa", "init", masa, "--ien", "9", "--manufacturer", maker)
        words = [word for serial in SERIALS[:5] for word in ("--serial", serial)]
        await here("router", "manufacture", routers, "--manufacturer", maker, *words)
        loopback = "127.0.0.1:0"
        made: Any = await here(
            *("init", site, "--organization", "Owner", "--listen", loopback),
            *("--images-http", loopback, "--images-https", loopback),
        )
        register(tmp_path / "register.yaml", made["pinned_domain_cert"])
        entered: Any = await here("masa", "import", tmp_path / "register.yaml", "--masa", masa)
        token = tmp_path / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        async with AsyncExitStack() as owner, AsyncExitStack() as manufacturer:
            serving: Any = await manufacturer.enter_async_context(
                service(
                    *("masa", "serve", "--masa", masa, "--grpc", loopback, "--http", loopback),
                    log=tmp_path / "masa.log",
                )
            )
            served: Any = await owner.enter_async_context(
                service("--site", site, "serve", "--no-door", log=tmp_path / "site.log")
            )
            uri = f"bootz://{served['bound'][0]}"
            await here(
                *("vendor", "add", "Acme", "--site", site, "--ien", "9"),
                *("--ca", masa / "keys" / "root.pem", "--ovgs", serving["grpc"][0]),
                *("--cert-id", entered["certificate_ids"][0], "--token-file", token),
                *("--tls-roots", masa / "keys" / "root.pem", "--lifetime", "30"),
            )
            document = {
                "chassis": [{"vendor": "Acme", "serial_number": serial} for serial in SERIALS]
            }
            (tmp_path / "inventory.yaml").write_text(yaml.safe_dump(document))
            await here("import", tmp_path / "inventory.yaml", "--site", site)
            # Nobody fetches: the server does, and the routers try until it has.
            booted = await asyncio.gather(
                *(
                    boot(routers / serial, uri, dialect)
                    for serial, dialect in zip(SERIALS, DIALECTS, strict=False)
                )
            )
            assert [told["status"] for told in booted] == ["BOOTZ_OK"] * 4
            assert await here("voucher", "missing", "--site", site) == []
            await manufacturer.aclose()
            told = await boot(routers / SERIALS[4], uri)
            assert told["status"] == "BOOTZ_OK", told
        issued: Any = await here("masa", "voucher", "list", "--masa", masa)
        assert sorted(each["serial"] for each in issued) == SERIALS
        assert {each["user"] for each in issued} == {"site"}
        for log in (tmp_path / "masa.log", tmp_path / "site.log"):
            assert TOKEN not in log.read_text()

    asyncio.run(story())
