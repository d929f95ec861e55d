"""What clients need to play routers: their identities, and whom they trust for vouchers.

A folder of it can be used with any Bootz server that knows these routers: ``material.json``
names the files, see docs/performance.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bootz.errors import BootzError, OptionError
from bootz.keystore.files import load_certificates
from bootz.trust.certificates import pem_from_der

INDEX: Final = "material.json"
_VENDOR_CA: Final = "vendor-ca.pem"


@dataclass(frozen=True, slots=True)
class BenchRouter:
    """A router on the workbench: its serial number, and a PEM file with IDevID chain and key."""

    serial_number: str
    identity: Path


@dataclass(frozen=True, slots=True)
class BenchMaterial:
    """Routers of one manufacturer. ``vendor_ca`` is DER; it vouches for the vouchers."""

    manufacturer: str
    part_number: str
    vendor_ca: bytes = field(repr=False)
    routers: tuple[BenchRouter, ...]


def write_material(folder: Path, material: BenchMaterial) -> None:
    """Write the index beside the identities, which are there already."""
    (folder / _VENDOR_CA).write_bytes(pem_from_der([material.vendor_ca]))
    document = {
        "manufacturer": material.manufacturer,
        "part_number": material.part_number,
        "vendor_ca": _VENDOR_CA,
        "routers": [
            {
                "serial_number": router.serial_number,
                "identity": str(router.identity.relative_to(folder)),
            }
            for router in material.routers
        ],
    }
    (folder / INDEX).write_text(json.dumps(document, indent=1) + "\n")


def read_material(folder: Path) -> BenchMaterial:
    """Read a folder of material; paths in it are relative to it.

    Raises:
        OptionError: ``bench-plan-invalid``: it is not such a folder, or has no router.
    """
    index = folder / INDEX
    try:
        told = json.loads(index.read_bytes())
        routers = tuple(
            BenchRouter(_text(each, "serial_number"), folder / _text(each, "identity"))
            for each in told["routers"]
        )
        anchor = load_certificates(folder / _text(told, "vendor_ca"))[0]
        material = BenchMaterial(
            _text(told, "manufacturer"), _text(told, "part_number"), anchor, routers
        )
    except (OSError, ValueError, TypeError, LookupError, BootzError) as error:
        raise OptionError(
            "bench-plan-invalid",
            f"no material can be read: {error}",
            where=str(index),
            expected="manufacturer, part_number, vendor_ca, routers with serial_number, identity",
        ) from error
    missing = next((each.identity for each in routers if not each.identity.is_file()), None)
    if missing is not None or not routers:
        raise OptionError(
            "bench-plan-invalid",
            "a router's identity is missing" if routers else "it has no routers",
            where=str(missing or index),
        )
    return material


def _text(document: Mapping[str, object], key: str) -> str:
    value = document[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is not a text")
    return value
