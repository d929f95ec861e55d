"""Health and reflection, for every listener."""

from collections.abc import Mapping, Sequence

from google.protobuf.descriptor_pool import DescriptorPool

from bootz.transport.grpc.call import Method
from bootz.transport.grpc.health import Health
from bootz.transport.grpc.reflection import Reflection
from bootz.transport.limits import ListenerLimits


class StandardServices:
    """The method table of health and reflection for the services that a listener has.

    Args:
        services: full names of the services, as they are in the paths of their methods.
        pool: holds the schema of those services, for reflection.
        limits: how long a silent caller of these is kept.
    """

    def __init__(
        self, services: Sequence[str], *, pool: DescriptorPool, limits: ListenerLimits
    ) -> None:
        self._health = Health(services, request_timeout=limits.idle_timeout)
        reflection = Reflection(
            [*services, self._health.name], pool=pool, idle_timeout=limits.idle_timeout
        )
        self.methods: Mapping[str, Method] = {**self._health.methods, **reflection.methods}

    def set_serving(self, *, serving: bool) -> None:
        """Say whether the services can do their work."""
        self._health.set_serving(serving=serving)

    def stop(self) -> None:
        """Say that the services end; who watches them is let go."""
        self._health.stop()
