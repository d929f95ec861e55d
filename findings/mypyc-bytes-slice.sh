#!/usr/bin/env bash
set -euo pipefail
# mypyc (mypy 2.4.1): in compiled code a slice object as the index of bytes is a TypeError, as if an
# integer alone could stand there. mypy --strict accepts the code, the interpreter runs it, and
# compiled it works for str, list, tuple and bytearray, and for bytes with a colon in the brackets.
# Needs: a C compiler and Python's headers. Exits 0 while this holds, 1 once it does not.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==83.0.0
cat >"$folder/cut.py" <<'PYTHON'
def of_str(data: str, part: slice) -> str:
    return data[part]


def of_list(data: list[int], part: slice) -> list[int]:
    return data[part]


def of_tuple(data: tuple[int, ...], part: slice) -> tuple[int, ...]:
    return data[part]


def of_bytearray(data: bytearray, part: slice) -> bytearray:
    return data[part]


def of_bytes(data: bytes, part: slice) -> bytes:
    return data[part]


def between_brackets(data: bytes, part: slice) -> bytes:
    return data[part.start : part.stop]
PYTHON
cat >"$folder/look.py" <<'PYTHON'
import platform
import sys

import cut

compiled = not cut.__file__.endswith(".py")
holds = compiled == (sys.argv[1] == "compiled")
for name, data in (
    ("of_str", "abcd"),
    ("of_list", [1, 2, 3, 4]),
    ("of_tuple", (1, 2, 3, 4)),
    ("of_bytearray", bytearray(b"abcd")),
    ("of_bytes", b"abcd"),
    ("between_brackets", b"abcd"),
):
    try:
        seen = getattr(cut, name)(data, slice(1, 3))
        holds &= seen == data[1:3] and not (compiled and name == "of_bytes")
    except TypeError as error:
        seen = f"TypeError: {error}"
        holds &= compiled and name == "of_bytes"
    print(f"{sys.argv[1]}, {name}: {seen}")
print(f"Python {platform.python_version()}")
sys.exit(0 if holds else 1)
PYTHON
cd "$folder"
PATH=$folder/venv/bin:$PATH
mypy --version
mypy --strict cut.py
python look.py interpreted
mypyc cut.py >said 2>&1 || { cat said; exit 1; }
python look.py compiled
# Seen with mypy 2.4.1 and Python 3.11.7; interpreted, each gives the part, and compiled:
#   of_str: bc
#   of_list: [2, 3]
#   of_tuple: (2, 3)
#   of_bytearray: bytearray(b'bc')
#   of_bytes: TypeError: 'slice' object cannot be interpreted as an integer
#   between_brackets: b'bc'
