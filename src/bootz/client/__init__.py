"""A site's API for programs in Python (docs/client.md): typed, with and without ``await``.

It knows the site by its API alone and needs nothing of the server. ``calls`` has a function for
each operation, ``models`` what goes in and comes out.
"""

from bootz.client.call import ApiCall
from bootz.client.errors import ApiProblem, ApiUnavailable
from bootz.client.generated import calls, models
from bootz.client.http import AsyncBootzClient, BootzClient

__all__ = [
    "ApiCall",
    "ApiProblem",
    "ApiUnavailable",
    "AsyncBootzClient",
    "BootzClient",
    "calls",
    "models",
]
