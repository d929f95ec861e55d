"""Adds the scripts that lie in the package itself to the bill of materials, and checks the whole.

Run it with the Python that the bill's tool is installed in: ``add_vendored.py BILL SOURCE``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main(bill: Path, source: Path) -> None:
    """Read the manifests below ``source`` and write ``bill`` again.

    Raises:
        SystemExit: the bill is not what the specification says.
    """
    content: dict[str, Any] = json.loads(bill.read_text())
    rows = {
        (row["package"], row["version"]): row
        for manifest in sorted(source.rglob("vendor/manifest.json"))
        for row in json.loads(manifest.read_text())
    }
    added = [component(row) for row in rows.values()]
    content["components"] += added
    content["dependencies"] += [{"ref": each["bom-ref"]} for each in added]
    for each in content["dependencies"]:
        if each["ref"] == content["metadata"]["component"]["bom-ref"]:
            each["dependsOn"] = sorted([*each.get("dependsOn", ()), *refs(added)])
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise SystemExit(f"{bill}: {fault}")
    bill.write_text(text)


def component(row: dict[str, str]) -> dict[str, Any]:
    """Return the component of CycloneDX that a manifest names; the hash is that of its package."""
    name, version = row["package"], row["version"]
    return {
        "bom-ref": f"{name}@{version}",
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:npm/{name}@{version}",
        "licenses": [{"license": {"id": row["licence"], "acknowledgement": "declared"}}],
        "hashes": [{"alg": "SHA-256", "content": row["package_sha256"]}],
    }


def refs(components: list[dict[str, Any]]) -> list[str]:
    """Return the names by which the bill refers to them."""
    return [each["bom-ref"] for each in components]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
