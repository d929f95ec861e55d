"""Checking again that each device is one that was asked for: a source may ignore a filter."""

from bootz.config.sources import SelectSettings, SourceSettings
from bootz.errors import ConfigError
from bootz.server.sources.pulled import PulledDevice, SourceName


def check_selected(device: PulledDevice, settings: SourceSettings) -> None:
    """Accept a device that was asked for.

    Raises:
        ConfigError: ``source-filter-ignored``.
    """
    for key, wanted, seen in mismatches(device, settings.select):
        raise ConfigError(
            "source-filter-ignored",
            f"its {key} was not asked for",
            where=f"{settings.name} {device.label}",
            expected=", ".join(wanted),
            seen=seen or "none",
        )


def mismatches(
    device: PulledDevice, select: SelectSettings
) -> list[tuple[str, tuple[str, ...], str]]:
    """Return what of a selection a device does not fit: key, what was wanted, what it has."""
    found: list[tuple[str, tuple[str, ...], str]] = []
    for key, owned in _values(device).items():
        wanted: tuple[str, ...] = getattr(select, key)
        if not wanted:
            continue
        fits = [any(one.is_called(word) for one in owned) for word in wanted]
        # Of tags all are wanted; of everything else one.
        if not (all(fits) if key == "tag" else any(fits)):
            found.append((key, wanted, ", ".join(one.name or one.slug for one in owned)))
    return found


def _values(device: PulledDevice) -> dict[str, tuple[SourceName, ...]]:
    return {
        "status": (device.status,),
        "tag": device.tags,
        "site": (device.site, *device.places),
        "location": device.places,
        "role": (device.role,),
        "platform": (device.platform,),
        "manufacturer": (device.manufacturer,),
    }
