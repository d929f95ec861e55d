"""``/metrics`` of the door: for Prometheus, with a token, or from loopback where that is set.

Source: docs/metrics.md.
"""

import ipaddress
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials

from bootz.server.api.auth.principals import bearer, caller, check_role, check_whole_site, peer_of
from bootz.server.api.context import DoorDep
from bootz.server.metrics.exposition import exposed
from bootz.server.metrics.folder import FOLDER, read_numbers
from bootz.server.metrics.of_site import site_gauges

router = APIRouter()

_VERB = "metrics.read"


def _admitted(
    request: Request,
    door: DoorDep,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> None:
    """Admit who may read the metrics.

    Raises:
        TrustError: ``login-needed``.
        PolicyError: the token's scope is a part of the site.
    """
    if token is None and door.config.operator.metrics == "loopback" and _from_loopback(request):
        return
    principal = caller(request, door, token, None)
    check_role(principal, _VERB)
    check_whole_site(principal, "metrics are of all chassis")


def _from_loopback(request: Request) -> bool:
    try:
        return ipaddress.ip_address(peer_of(request)).is_loopback
    except ValueError:
        return False


@router.get("/metrics", include_in_schema=False, dependencies=[Depends(_admitted)])
def metrics(request: Request, door: DoorDep) -> Response:
    """Return what all processes of this server have counted, and where the site stands."""
    with door.database.read() as connection:
        gauges = site_gauges(connection, door.memory, door.config.progress, door.clock())
    numbers = {} if door.root is None else read_numbers(door.root / FOLDER)
    content, media_type = exposed(numbers, gauges, request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": media_type})
