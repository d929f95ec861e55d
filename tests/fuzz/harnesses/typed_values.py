"""MAC addresses and settings that operators type: hosts, endpoints, URLs, webhook targets."""

from fuzz.laws import text_of

from bootz.config.values import check_base_url, check_host, parse_endpoint
from bootz.server.webhooks.signing import parse_secret
from bootz.server.webhooks.targets import parse_target
from bootz.wire.dhcp_identity import parse_mac


def enter(data: bytes) -> None:
    text = text_of(data)
    for read in (parse_endpoint, check_host, check_base_url, parse_target, parse_secret, parse_mac):
        try:
            read(text)
        except ValueError:
            # These tell pydantic, which makes one error of ours of them.
            continue
