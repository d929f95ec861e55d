"""One harness under atheris: `python -m fuzz.driver NAME [options of libFuzzer] [folders]`.

Modules of the project are instrumented; what happens in libraries is not followed.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["bootz"]):
    from fuzz.harness import feed, load

    ENTRY = load(sys.argv[1])


def _one(data: bytes) -> None:
    feed(ENTRY, data)


def main() -> None:
    """Run until libFuzzer has enough, or something is found."""
    atheris.Setup([sys.argv[0], *sys.argv[2:]], _one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
