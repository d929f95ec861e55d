"""Writes the API's description beside its code; with --check, says whether it is up to date."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.config.site import SiteConfig
from bootz.server.api.app import create_app
from bootz.server.api.context import Door
from bootz.server.store.database import open_database

PLACE = Path(__file__).resolve().parents[1] / "src/bootz/server/api/openapi.json"


def described() -> str:
    """Return the description as text."""
    with TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/bootz.db", create=True)
        try:
            config = SiteConfig()
            around = door_surroundings(Path(folder), config)
            door = Door(database, config, lambda: datetime.now(UTC), time.monotonic, around)
            document = create_app(door).openapi()
        finally:
            database.close()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check; 1 where the file is not as the code is."""
    text = described()
    if "--check" not in sys.argv:
        PLACE.write_text(text)
        return 0
    if PLACE.exists() and PLACE.read_text() == text:
        return 0
    print(f"{PLACE.name} is not what the code says; run `make openapi`")
    return 1


if __name__ == "__main__":
    sys.exit(main())
