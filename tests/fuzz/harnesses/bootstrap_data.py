"""Bootstrapping data in each dialect, what a router builds of them, and their preview."""

from bootz.device.artifacts import check_authz, check_certz
from bootz.device.configuration import build_configuration
from bootz.errors import BootzError
from bootz.trust.certificate_form import load_certificate
from bootz.wire.answers import decode_bootstrap_data
from bootz.wire.dialects import DIALECTS
from bootz.wire.preview import preview_payload


def enter(data: bytes) -> None:
    dialect = DIALECTS[data[0] % len(DIALECTS)] if data else DIALECTS[-1]
    decoded = decode_bootstrap_data(data[1:], dialect)
    for card in decoded.responses:
        for judge in (
            # A router has looked at the anchor before it builds anything.
            lambda: load_certificate(card.server_trust_cert) and build_configuration(card),  # noqa: B023 -- called at once
            lambda: check_certz(card.certz_profiles or ()),  # noqa: B023
            lambda: check_authz(card.authz or {}),  # noqa: B023
        ):
            try:
                judge()
            except BootzError:
                continue
    preview_payload(data[1:])
