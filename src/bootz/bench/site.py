"""A throwaway site of a build: an inventory of any size, and vouchers for those that onboard.

Made by the build's own commands, as an operator makes it.
"""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bootz.bench.builds import Build
from bootz.bench.factory import MANUFACTURER, PART_NUMBER, Factory, tls_options
from bootz.bench.plan import BenchPlan, OnProgress
from bootz.errors import ConfigError
from bootz.keystore.files import load_certificates
from bootz.trust.certificates import load_certificate, pem_from_der
from bootz.trust.keys import describe_key

_PROFILE: Final = "bench"
_PINNED: Final = Path("keys/pinned-domain/1.pem")
_OWNER: Final = Path("keys/owner")


def onboarding_serials(plan: BenchPlan) -> tuple[str, ...]:
    """Return those that onboard, spread over the whole inventory."""
    return tuple(_serial(index * plan.inventory // plan.routers) for index in range(plan.routers))


def build_site(
    build: Build,
    plan: BenchPlan,
    factory: Factory,
    folder: Path,
    on_progress: OnProgress,
    *,
    database: str = "",
) -> Path:
    """Make a site in ``folder``, which is made, and return its own folder.

    ``database`` is the URL of an empty one; empty: SQLite in the site's folder. A build that cannot
    choose its owner's key keeps the kind that it makes.

    Raises:
        ConfigError: the folder is not empty, or the build cannot do what the plan asks for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "site"
    if root.exists():
        raise ConfigError("bench-plan-invalid", "there is a site already", where=str(root))
    on_progress("making a site", 0, 3)
    keys = () if plan.tls_key is None else tls_options(folder, plan.tls_key, factory.now)
    where = ("--database", database) if database else ()
    build.run("init", *keys, *where, str(root))
    if plan.owner_key is not None and build.takes("--key", "keys", "rotate"):
        words = ("keys", "rotate", "owner", "--key", plan.owner_key.value)
        build.run("--site", str(root), *words)
    on_progress("making a site", 1, 3)
    (pinned,) = load_certificates(root / _PINNED)
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps(_inventory(plan, factory, pinned)))
    on_progress("making a site", 2, 3)
    build.run("--site", str(root), "import", str(inventory))
    on_progress("making a site", 3, 3)
    return root


def owner_key_of(site: Path) -> str:
    """Return kind and size of the owner's key of such a site, such as ``RSA-2048``."""
    latest = max((site / _OWNER).glob("*.pem"), key=lambda each: int(each.stem))
    return describe_key(load_certificate(load_certificates(latest)[0]).public_key())


def _serial(number: int) -> str:
    return f"BENCH{number:07d}"


def _inventory(plan: BenchPlan, factory: Factory, pinned: bytes) -> dict[str, Sequence[object]]:
    line = " description port of the benchmark\n"
    config = "hostname {{ chassis.serial_number }}\n" + line * (plan.config_bytes // len(line))
    return {
        "vendors": [{"name": MANUFACTURER, "idevid_ca": pem_from_der([factory.ca]).decode()}],
        "profiles": [{"name": _PROFILE, "vendor_config": config}],
        "chassis": [
            {
                "vendor": MANUFACTURER,
                "serial_number": _serial(number),
                "part_number": PART_NUMBER,
                "hostname": f"bench-{number}",
                "release": "v0.3" if plan.dialect == "v0.3" else "current",
                "profile": _PROFILE,
            }
            for number in range(plan.inventory)
        ],
        "vouchers": [
            {
                "vendor": MANUFACTURER,
                "serial_number": serial,
                "voucher": base64.b64encode(factory.voucher(serial, pinned)).decode(),
            }
            for serial in onboarding_serials(plan)
        ],
    }
