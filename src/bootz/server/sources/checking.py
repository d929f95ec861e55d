"""``bootz source check``: token, version, rights, filters and fields, one row each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from bootz.config.sources import SourceSettings
from bootz.errors import BootzError, ConfigError
from bootz.reasons import reason_row
from bootz.server.sources.client import SourceClient, open_source
from bootz.server.sources.paging import read_list
from bootz.server.sources.syncing import SourceRoom, product_of, read_roots, read_token

FIELDS: Final = {
    "bootz_state": "text",
    "bootz_reason": "text",
    "bootz_last_attempt": "datetime",
    "bootz_profile": "text",
}
"""Custom fields of devices: three are written, the profile is read."""

_VALUES: Final = {
    "netbox": {
        "tag": ("extras/tags/", "slug"),
        "site": ("dcim/sites/", "slug"),
        "location": ("dcim/locations/", "slug"),
        "role": ("dcim/device-roles/", "slug"),
        "platform": ("dcim/platforms/", "slug"),
        "manufacturer": ("dcim/manufacturers/", "slug"),
    },
    "nautobot": {
        "status": ("extras/statuses/", "name"),
        "tag": ("extras/tags/", "name"),
        "site": ("dcim/locations/", "name"),
        "location": ("dcim/locations/", "name"),
        "role": ("extras/roles/", "name"),
        "platform": ("dcim/platforms/", "name"),
        "manufacturer": ("dcim/manufacturers/", "name"),
    },
}
_STATUSES: Final = frozenset(
    {"offline", "active", "planned", "staged", "failed", "inventory", "decommissioning"}
)
"""NetBox's own; others can be added there, so one that is not here is asked for."""


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """One check of a source; ``reason`` is empty where it passed."""

    check: str
    reason: str
    detail: str

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return not self.reason

    def to_record(self) -> dict[str, object]:
        """Return a row."""
        return {
            "check": self.check,
            "outcome": "passed" if self.passed else "failed",
            "detail": self.detail,
            "reason": self.reason,
            "next": reason_row(self.reason).action if self.reason else "",
        }


async def check_source(room: SourceRoom, settings: SourceSettings) -> list[SourceCheck]:
    """Check a source from the token file to each filter's value; nothing is changed anywhere.

    Raises:
        ConfigError: the token's or the CA's file cannot be used.
    """
    checks: list[SourceCheck] = []
    token, tls = read_token(room, settings), read_roots(room, settings)
    async with open_source(settings, token, tls) as client:
        product = product_of(client)

        async def version() -> str:
            await product.open()
            return f"{settings.kind} {product.version}"

        if not await _one(checks, "token and version", version):
            return checks
        for path, right in (
            ("dcim/devices/", "dcim.device"),
            ("dcim/device-types/", "dcim.devicetype"),
            ("dcim/modules/", "dcim.module"),
            ("dcim/module-bays/", "dcim.modulebay"),
            ("dcim/module-types/", "dcim.moduletype"),
            ("dcim/interfaces/", "dcim.interface"),
        ):
            await _one(checks, f"view {right}", _readable(client, path))
        for key, values in settings.select.model_dump().items():
            for value in values:
                await _one(checks, f"select {key}={value}", _exists(client, key, value))

        async def selected() -> str:
            pulled = await product.pull(room.clock())
            if not pulled.devices:
                raise ConfigError("source-shrunk", "nothing is selected", where=settings.name)
            return f"{len(pulled.devices)} devices"

        await _one(checks, "selection", selected)
        if settings.push.fields:
            await _one(checks, "custom fields", _fields(client))
    return checks


async def _one(checks: list[SourceCheck], name: str, run: Callable[[], Awaitable[str]]) -> bool:
    try:
        checks.append(SourceCheck(name, "", await run()))
    except BootzError as error:
        checks.append(SourceCheck(name, error.reason, str(error)))
        return False
    return True


def _readable(client: SourceClient, path: str) -> Callable[[], Awaitable[str]]:
    async def run() -> str:
        answer = await client.get(path, [("limit", "1")])
        if answer.status == 404:
            raise ConfigError("source-version", "there is no such list", where=path)
        count = answer.body.get("count") if isinstance(answer.body, dict) else None
        return f"{count} in all"

    return run


def _exists(client: SourceClient, key: str, value: str) -> Callable[[], Awaitable[str]]:
    kind = client.settings.kind

    async def run() -> str:
        place = _VALUES[kind].get(key)
        if place is None:
            return await _status(client, value)
        path, field = place
        answer = await client.get(path, [(field, value), ("limit", "2")])
        body = answer.body if isinstance(answer.body, dict) else {}
        results = body.get("results")
        # A filter that is ignored returns everything: what comes must be what was asked for.
        found = [
            each
            for each in (results if isinstance(results, list) else [])
            if isinstance(each, dict) and each.get(field) == value
        ]
        if not found:
            raise ConfigError(
                "source-filter-unknown", f"there is no such {key}", where=path, seen=value
            )
        return "found"

    return run


async def _status(client: SourceClient, value: str) -> str:
    if value in _STATUSES:
        return "known"
    # Others are 400, which the client raises as an unknown filter.
    await client.get("dcim/devices/", [("status", value), ("limit", "1")])
    return "known"


def _fields(client: SourceClient) -> Callable[[], Awaitable[str]]:
    async def run() -> str:
        entries = await read_list(client, "extras/custom-fields/", cursor=False)
        there = {str(each.get("name") or each.get("key")) for each in entries}
        there |= {str(each.get("key")) for each in entries}
        lacking = [name for name in FIELDS if name not in there]
        if lacking:
            told = "; ".join(_call(client.settings.kind, name) for name in lacking)
            raise ConfigError(
                "source-push-dropped", f"{', '.join(lacking)}: not there. {told}", where="fields"
            )
        return "all there"

    return run


def _call(kind: str, name: str) -> str:
    """Return the call that makes a custom field."""
    if kind == "netbox":
        body = f'{{"name":"{name}","type":"{FIELDS[name]}","object_types":["dcim.device"]}}'
    else:
        told = "text" if FIELDS[name] == "datetime" else FIELDS[name]
        body = (
            f'{{"key":"{name}","label":"{name}","type":"{told}","content_types":["dcim.device"]}}'
        )
    return f"POST /api/extras/custom-fields/ {body}"
