"""Makes the pictures of ``docs/board.md``: every page, light and dark. ``make pictures``."""

from __future__ import annotations

import sys
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from struct import pack, unpack

from board import night
from board.browser import Site, served
from store.world import owner

from bootz.server.operations.chassis import chassis_by_key, set_chassis_by_key
from bootz.server.operations.webhooks import add_webhook
from bootz.server.store.attempts import latest_attempts

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PICTURES = {
    "login": "/login",
    "home": "/",
    "devices": "/devices?label=site%3Dosl",
    "confirm": "/devices/confirm?verb=hold&id=31&id=33&id=35",
    "device": "/devices/41",
    "data": "/devices/1?tab=data",
    "preflight": "/devices/41?tab=preflight",
    "identity": "/devices/41?tab=identity",
    "device-vouchers": "/devices/1?tab=vouchers",
    "history": "/devices/41?tab=history",
    "device-audit": "/devices/1?tab=audit",
    "change": "/devices/1?tab=change",
    "strangers": "/strangers",
    "claim": "/strangers/{swapped}/claim?device=31",
    "replacements": "/replacements",
    "import": "/import",
    "sources": "/sources",
    "vouchers": "/vouchers",
    "keys": "/keys",
    "images": "/images",
    "profiles": "/profiles",
    "profile": "/profiles/access?device=1&other=2",
    "users": "/users",
    "tokens": "/tokens",
    "webhooks": "/webhooks",
    "webhook": "/webhooks/pager",
    "audit": "/audit?check=1",
    "wall": "/wall",
    "report": "/report",
}
"""Name of each picture, and the page that it shows."""


def scene(site: Site) -> None:
    """Put on record what the pages show."""
    routers = night.fill(site.database, site.now)
    night.modular(site.database, site.now)
    night.insecure(site.database)
    night.vouchers(site.database, [serial for _, serial in routers[:20]], site.now)
    night.certificates(site.database, owner().der)
    night.planned(site.database, site.door.root or Path(), site.now)
    night.sent(site.database, 1, site.now)
    night.swapped(site.database, site.now)
    with site.database.write() as connection:
        add_webhook(connection, "pager", "https://hooks.example.net/bootz", now=site.now)
        record = chassis_by_key(connection, 1)
        changed = replace(record, hostname="osl-edge-101", variables={"site": "Oslo North"})
        set_chassis_by_key(connection, 1, changed)
    night.dead_letter(site.database, site.now)


def newest_stranger(site: Site) -> int:
    """Return the attempt of the box that was swapped."""
    with site.database.read() as connection:
        attempts = latest_attempts(connection, most=500)
    return next(each.id for each in attempts if each.proven_serial == night.SWAPPED)


def main() -> None:
    """Make all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    total = 0
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        scene(site)
        swapped = newest_stranger(site)
        for scheme in ("light", "dark"):
            for name, path in PICTURES.items():
                page = site.page(
                    "" if name == "login" else "admin",
                    color_scheme=scheme,
                    reduced_motion="reduce",
                    viewport={"width": 1080, "height": 660},
                )
                page.goto("/board" + path.format(swapped=swapped))
                picture = packed(page.screenshot())
                (FOLDER / f"{name}-{scheme}.png").write_bytes(picture)
                total += len(picture)
                page.context.close()
    print(f"{2 * len(PICTURES)} pictures, {total >> 10} KiB", file=sys.stderr)


def packed(png: bytes) -> bytes:
    """Return a PNG without what only describes it, its rows packed as well as zlib can."""
    kept, data, at = [], b"", 8
    while at < len(png):
        (length,) = unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IDAT":
            data += body
        elif kind in {b"IHDR", b"PLTE", b"tRNS"}:
            kept.append((kind, body))
    kept += [(b"IDAT", zlib.compress(zlib.decompress(data), 9)), (b"IEND", b"")]
    chunks = (
        pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))
        for kind, body in kept
    )
    return png[:8] + b"".join(chunks)


if __name__ == "__main__":
    main()
