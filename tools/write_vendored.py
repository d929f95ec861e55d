r"""Writes the manifest of what is vendored from npm: version, licence, digests.

    npm pack htmx.org@2.0.11 htmx-ext-sse@2.2.4 axe-core@4.14.1 swagger-ui-dist@5.35.0 \
        --pack-destination FOLDER
    tools/write_vendored.py FOLDER

The files are taken out of the packages as they are.
"""

import hashlib
import json
import sys
import tarfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
BOARD: Final = ROOT / "src/bootz/server/board/assets/vendor"
API: Final = ROOT / "src/bootz/server/api/assets/vendor"
TESTS: Final = ROOT / "tests/board/vendor"
_BUNDLE: Final = "swagger-ui-bundle.js"
TAKEN: Final = (
    ("htmx.org", "2.0.11", "0BSD", "dist/htmx.min.js", BOARD / "htmx.min.js"),
    ("htmx-ext-sse", "2.2.4", "0BSD", "dist/sse.min.js", BOARD / "htmx-ext-sse.min.js"),
    ("swagger-ui-dist", "5.35.0", "Apache-2.0", _BUNDLE, API / _BUNDLE),
    ("swagger-ui-dist", "5.35.0", "Apache-2.0", "swagger-ui.css", API / "swagger-ui.css"),
    (
        "swagger-ui-dist",
        "5.35.0",
        "Apache-2.0",
        f"{_BUNDLE}.LICENSE.txt",
        API / f"{_BUNDLE}.LICENSE.txt",
    ),
    ("axe-core", "4.14.1", "MPL-2.0", "axe.min.js", TESTS / "axe.min.js"),
)


def main() -> None:
    """Take the files, and write a manifest beside them."""
    packages = Path(sys.argv[1])
    manifests: dict[Path, list[dict[str, str]]] = {}
    for name, version, licence, path, target in TAKEN:
        packed = packages / f"{name}-{version}.tgz"
        with tarfile.open(packed) as tar:
            content = _read(tar, path)
            words = _read(tar, "LICENSE")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.with_name(f"{name}.LICENSE").write_bytes(words)
        manifests.setdefault(target.parent, []).append(
            {
                "package": name,
                "version": version,
                "licence": licence,
                "taken": path,
                "file": target.name,
                "sha256": hashlib.sha256(content).hexdigest(),
                "package_sha256": hashlib.sha256(packed.read_bytes()).hexdigest(),
            }
        )
    for folder, rows in manifests.items():
        (folder / "manifest.json").write_text(json.dumps(rows, indent=2) + "\n")


def _read(tar: tarfile.TarFile, path: str) -> bytes:
    member = tar.extractfile(f"package/{path}")
    if member is None:
        raise SystemExit(f"{tar.name} has no {path}")
    return member.read()


if __name__ == "__main__":
    main()
