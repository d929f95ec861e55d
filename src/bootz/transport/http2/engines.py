"""Which engine a listener uses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bootz.errors import ConfigError
from bootz.transport.http2.engine import Engine, EngineLimits
from bootz.transport.http2.pure import VERSION as H2_VERSION
from bootz.transport.http2.pure import PureEngine

EngineName = Literal["auto", "ngh2", "h2"]
"""``auto``: the compiled one where it is installed."""


@dataclass(frozen=True, slots=True)
class EngineKind:
    """An engine: its name with its version, and how one is made for a connection."""

    name: str
    make: Callable[[EngineLimits], Engine]


def engine_kind(name: EngineName) -> EngineKind:
    """Return an engine by its name in the settings.

    Raises:
        ConfigError: ``http2-engine-missing``: it is not installed.
    """
    if name != "h2":
        try:
            from bootz.transport.http2 import compiled
        except ImportError as error:
            if name == "ngh2":
                raise ConfigError(
                    "http2-engine-missing",
                    f"ngh2 cannot be loaded: {error}",
                    where="transport.http2_engine",
                    expected="ngh2 installed",
                    seen="not installed",
                ) from error
        else:
            return EngineKind(f"ngh2 {compiled.VERSION}", compiled.CompiledEngine)
    return EngineKind(f"h2 {H2_VERSION}", PureEngine)
