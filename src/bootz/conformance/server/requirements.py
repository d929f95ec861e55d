"""What the cases ask of a server, each with the public text that says so, in our own words.

Where the specification is silent, the text says that, and names what else carries the claim.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bootz.conformance.server.suite import Requirement
from bootz.conformance.verdict import SpecSource

_BOOTZ: Final = "https://github.com/openconfig/bootz/blob/main/"
_README: Final = f"{_BOOTZ}README.md"
_PROTO: Final = f"{_BOOTZ}proto/bootz.proto"
_CODES: Final = "https://grpc.io/docs/guides/status-codes/"


def _readme(says: str, section: str, anchor: str) -> SpecSource:
    return SpecSource(says, f"openconfig/bootz README.md, {section}", f"{_README}#{anchor}")


def _unary(says: str, step: str) -> SpecSource:
    return _readme(says, f"Unary Bootz, {step}", "boot-procedure-unary-bootz")


def _v1(says: str, step: str) -> SpecSource:
    return _readme(says, f"BootstrapStream v1.0, {step}", "bootz-procedure-bootstrapstream-v10")


def _proto(says: str, message: str) -> SpecSource:
    return SpecSource(says, f"openconfig/bootz proto/bootz.proto, {message}", _PROTO)


_IDEVID: Final = _unary(
    "The device presents the IDevID of its active control card in TLS, and the vendor's CA "
    "vouches for it. The data of a device are for that device.",
    "Bootstrapping Service, 1 and 2",
)
_REPORT: Final = _unary(
    "A report travels over TLS that is secured with the IDevID of the active control card.",
    "ReportStatus, 5",
)
_STATES: Final = _proto(
    "A state of a report names the control card that it is about.", "ControlCardState"
)
_DESCRIPTOR: Final = _proto(
    "A fixed chassis fills its serial number, which is also that of its control card. A modular "
    "chassis lists its control cards, each with its serial number.",
    "ChassisDescriptor, ControlCard, ControlCardState",
)
_CHALLENGE: Final = _v1(
    "The server verifies the answer to its challenge; where it is wrong, an error is returned and "
    "the device starts over.",
    "step 6.1",
)
_IDENTITY: Final = _proto(
    "One of the types of an identity must be set, or an error is returned. Keys in it are for "
    "debugging: the key that counts is that of the vendor's records.",
    "Identity",
)
_ORDER: Final = _proto(
    "The order is request, challenge, answer, data, reports; a report that opens a stream is "
    "challenged first.",
    "Bootstrap.BootstrapStreamV1",
)
_BOUNDS: Final = SpecSource(
    "Bootz names no bounds. A server that is reachable before anyone is authenticated must have "
    "some; gRPC's status for a message beyond them is RESOURCE_EXHAUSTED, for one that cannot be "
    "read INVALID_ARGUMENT.",
    "gRPC, status codes",
    _CODES,
)
_NONCE: Final = _unary(
    "The answer is signed over the nonce of the request; only a device that is configured not to "
    "verify its owner sends none.",
    "the note on the nonce",
)
_CARDS: Final = _unary(
    "The device lists its control cards; the answer has the data of each card. One device is "
    "proven, in TLS or by the challenge; Bootz has nothing by which a list could prove others.",
    "GetBootstrapDataRequest, 2, and GetBootstrapDataResponse, 2",
)
_TRANSPORT: Final = _v1(
    "The answer vouches for a transport key with HPKE suite 2 and, with an IDevID, the nonce of "
    "this challenge; the data are encrypted to it.",
    "step 5",
)

REQUIREMENTS: Final[Mapping[str, Requirement]] = MappingProxyType(
    {
        "onboard": Requirement(
            "A device that does everything right gets data that verify, for its own nonce, as "
            "often as it asks, and its reports are acknowledged.",
            _unary("The call may be made as often as needed.", "GetBootstrapDataResponse, 6"),
        ),
        "reports": Requirement(
            "Reports that follow on a stream are acknowledged, each of them.",
            _v1("The device may repeat its report until it has finished.", "step 7.3"),
        ),
        "spelling": Requirement(
            "A serial number is the same in either case, and is answered as the device spells it.",
            _proto(
                "serial_num is that of the control card that the data are for; the device compares "
                "it with its own.",
                "BootstrapDataResponse",
            ),
        ),
        "neighbour": Requirement(
            "Serial numbers are unique for one manufacturer: a device of another one with the "
            "same serial number is a device of its own.",
            _proto(
                "A chassis is described by manufacturer and serial number.", "ChassisDescriptor"
            ),
        ),
        "modular": Requirement(
            "Each listed control card of the chassis gets its data.",
            _unary(
                "The answer has a set of configuration for each control card.",
                "GetBootstrapDataResponse, 2",
            ),
        ),
        "replacement": Requirement(
            "An initialized card that asks for a new one gets the data of the new one only.",
            _unary(
                "For a replaced module the answer has one set of configuration, for that module.",
                "GetBootstrapDataRequest, 4, and GetBootstrapDataResponse, 3",
            ),
        ),
        "certificate": Requirement(
            "Who presents no IDevID that a CA of the device's manufacturer vouches for gets "
            "nothing.",
            _IDEVID,
        ),
        "borrowed": Requirement(
            "A genuine device gets nothing of another, whatever serial numbers its request lists.",
            _IDEVID,
        ),
        "foreign-card": Requirement(
            "A card of another chassis that a request lists beside its own is not answered.",
            _CARDS,
        ),
        "unknown": Requirement("A device that is not on record gets nothing.", _IDEVID),
        "nonce": Requirement(
            "A chassis in secure mode gets no unsigned data: without a nonce it is refused.", _NONCE
        ),
        "voucher": Requirement(
            "Without a voucher for the card there is no answer to a request with a nonce.",
            _proto(
                "The voucher is left out only where the request has no nonce.",
                "GetBootstrapDataResponse.ownership_voucher",
            ),
        ),
        "descriptor": Requirement(
            "A request that contradicts itself, or the record, is refused.", _DESCRIPTOR
        ),
        "bounds": Requirement("A message that is malformed or too large is refused.", _BOUNDS),
        "report-proof": Requirement("A report counts only for the device that is proven.", _REPORT),
        "report-states": Requirement(
            "A report has a status, and names the cards of the proven chassis and no others.",
            _STATES,
        ),
        "identity": Requirement(
            "An identity that is missing, unknown or not the one on record is refused.", _IDENTITY
        ),
        "stream-off": Requirement(
            "A chassis for which streams are switched off gets none.",
            SpecSource(
                "Bootz leaves it to the operator which calls a device may use; gRPC's status for "
                "a call that is not supported is UNIMPLEMENTED.",
                "gRPC, status codes",
                _CODES,
            ),
        ),
        "challenge": Requirement("A wrong answer to the challenge gets nothing.", _CHALLENGE),
        "late": Requirement(
            "An HMAC challenge that is answered after 10 seconds gets nothing.",
            SpecSource(
                "The reference server refuses an HMAC challenge that is older than 10 seconds.",
                "openconfig/bootz server/service/service.go",
                f"{_BOOTZ}server/service/service.go",
            ),
        ),
        "order": Requirement("A message out of order ends the stream.", _ORDER),
        "stream-message": Requirement(
            "A stream message that is empty, malformed, of a draft or too large is refused.",
            _ORDER,
        ),
        "transport-key": Requirement(
            "Data are encrypted only for a transport key that the answer vouches for.", _TRANSPORT
        ),
        "restart": Requirement(
            "What was proven before a restart proves nothing after it: every challenge is fresh.",
            _v1(
                "A stream that opens with a report is challenged again, and only an answer to that "
                "challenge counts.",
                "step 8",
            ),
        ),
    }
)
"""By the word that cases know them by."""
