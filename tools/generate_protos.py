"""Write the protobuf modules of ``bootz.wire.generated`` from ``src/bootz/wire/schema``.

Usage: ``python tools/generate_protos.py`` (needs grpcio-tools). The result is committed; a test
writes it again and compares.
"""

import importlib.resources
import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "src/bootz/wire/schema"
PACKAGE = "bootz/wire/generated"


def generate(target: Path) -> Path:
    """Write all modules below ``target``, a source root; return the folder they are in.

    Raises:
        RuntimeError: the compiler refused the schema; it has said why on stderr.
    """
    # The schema appears to the compiler under the package's own path: modules then import each
    # other rightly, and file names in the descriptor pool never clash with other packages'.
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    arguments = [
        "protoc",
        f"--proto_path={PACKAGE}={SCHEMA}",
        f"--proto_path={well_known}",
        f"--python_out={target}",
        f"--pyi_out={target}",
        *(f"{PACKAGE}/{file.name}" for file in sorted(SCHEMA.glob("*.proto"))),
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError("protoc refused the schema")
    return target / PACKAGE


def main() -> int:
    """Write the modules into the source tree; return the exit code."""
    folder = ROOT / "src" / PACKAGE
    folder.mkdir(exist_ok=True)
    for file in (*folder.glob("*_pb2.py"), *folder.glob("*_pb2.pyi")):
        file.unlink()
    generate(ROOT / "src")
    return 0


if __name__ == "__main__":
    sys.exit(main())
