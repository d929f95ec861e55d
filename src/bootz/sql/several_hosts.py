"""Several machines of one database: the one that was reached last is tried first."""

from typing import Any, Final

from sqlalchemy import Dialect, Engine, event

_LISTS: Final = ("host", "port")
"""Parameters that have one value for each machine, with commas between them."""


def try_last_first(engine: Engine) -> None:
    """Let an engine with several hosts begin with the one that its last connection reached.

    A lost machine costs the first new connection a wait, and not each of them.
    """
    last = ""

    def connect(
        dialect: Dialect, _record: object, words: list[Any], parameters: dict[str, Any]
    ) -> object:
        nonlocal last
        lists = {name: str(parameters.get(name, "")).split(",") for name in _LISTS}
        hosts = lists["host"]
        if last in hosts:
            at = hosts.index(last)
            for name, values in lists.items():
                # One port may stand for all.
                if len(values) == len(hosts):
                    parameters[name] = ",".join(values[at:] + values[:at])
        connection: Any = dialect.connect(*words, **parameters)
        last = str(connection.info.host)
        return connection

    event.listen(engine, "do_connect", connect)
