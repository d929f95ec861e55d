"""Commands of a TPM 2.0, marshalled by hand: the dozen that identity needs, and no session HMAC.

Sessions are unbound and unsalted, so that their HMAC is empty. Source: TCG TPM 2.0 Library, parts
2 and 3; docs/protocol/tpm.md#tpm-20-what-the-device-does.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from bootz.device.tpm.swtpm import Swtpm
from bootz.errors import TrustError, Unavailable
from bootz.trust.tpm.structures import Algorithm, TpmReader, sized

OWNER: Final = 0x40000001
ENDORSEMENT: Final = 0x4000000B
PLATFORM: Final = 0x4000000C
_NULL: Final = 0x40000007
_PASSWORD: Final = 0x40000009

_NO_SESSIONS: Final = 0x8001
_SESSIONS: Final = 0x8002
_TK_HASHCHECK: Final = 0x8024
_POLICY_SESSION: Final = 0x01
_RETRY: Final = 0x922
_MAX_TRIES: Final = 5


class Code(IntEnum):
    """TPM_CC."""

    EVICT_CONTROL = 0x120
    CREATE_PRIMARY = 0x131
    CERTIFY = 0x148
    POLICY_SECRET = 0x151
    IMPORT = 0x156
    LOAD = 0x157
    SIGN = 0x15D
    FLUSH_CONTEXT = 0x165
    POLICY_COMMAND_CODE = 0x16C
    READ_PUBLIC = 0x173
    START_AUTH_SESSION = 0x176


@dataclass(frozen=True, slots=True)
class Authorization:
    """A session that authorizes a handle: an empty password, or a policy session."""

    handle: int = _PASSWORD
    attributes: int = 0

    @classmethod
    def policy(cls, session: int) -> "Authorization":
        """Return a policy session that goes on after the command."""
        return cls(session, _POLICY_SESSION)

    @property
    def area(self) -> bytes:
        """The session as it is in the command: no nonce, no HMAC."""
        return struct.pack(">IHBH", self.handle, 0, self.attributes, 0)


PASSWORD: Final = Authorization()


class Commands:
    """The commands of one running TPM. Every refusal is an Unavailable with the response code."""

    def __init__(self, tpm: Swtpm) -> None:
        self._tpm = tpm

    def create_primary(self, hierarchy: int, template: bytes) -> tuple[int, bytes]:
        """Make a key from the hierarchy's seed; return its handle and TPMT_PUBLIC."""
        sensitive = sized(sized(b"") + sized(b""))
        parameters = sensitive + sized(template) + sized(b"") + struct.pack(">I", 0)
        reader = self._run(
            Code.CREATE_PRIMARY, [hierarchy], parameters, [PASSWORD], handles_back=True
        )
        handle = reader.number(4)
        reader.number(4)  # size of the parameters
        return handle, reader.sized()

    def evict(self, hierarchy: int, handle: int, persistent: int) -> None:
        """Keep a key under a handle that survives power loss."""
        parameters = struct.pack(">I", persistent)
        self._run(Code.EVICT_CONTROL, [hierarchy, handle], parameters, [PASSWORD])

    def read_public(self, handle: int) -> bytes:
        """Return the TPMT_PUBLIC of a key."""
        return self._run(Code.READ_PUBLIC, [handle], b"").sized()

    def start_policy(self) -> int:
        """Start a policy session with SHA-256; return its handle."""
        parameters = (
            sized(bytes(16)) + sized(b"") + struct.pack(">BHH", 1, Algorithm.NULL, Algorithm.SHA256)
        )
        reader = self._run(Code.START_AUTH_SESSION, [_NULL, _NULL], parameters, handles_back=True)
        return reader.number(4)

    def policy_secret(self, session: int) -> None:
        """Satisfy an EK's policy: the endorsement hierarchy's empty password is known."""
        parameters = sized(b"") * 3 + struct.pack(">i", 0)
        self._run(Code.POLICY_SECRET, [ENDORSEMENT, session], parameters, [PASSWORD])

    def policy_command_code(self, session: int, code: Code) -> None:
        """Bind a session to one command."""
        self._run(Code.POLICY_COMMAND_CODE, [session], struct.pack(">I", code))

    def import_(
        self,
        parent: int,
        authorization: Authorization,
        public: bytes,
        duplicate: bytes,
        seed: bytes,
    ) -> bytes:
        """Import an object that was encrypted to ``parent``; the three stand as they travel.

        Returns:
            What ``load`` takes.

        Raises:
            TrustError: ``tpm-import-refused``: it is for another TPM, or altered.
        """
        parameters = sized(b"") + public + duplicate + seed + struct.pack(">H", Algorithm.NULL)
        try:
            return self._run(Code.IMPORT, [parent], parameters, [authorization]).sized()
        except Unavailable as error:
            raise TrustError(
                "tpm-import-refused", "the TPM refuses the import", where="TPM", seen=error.seen
            ) from error

    def load(self, parent: int, authorization: Authorization, private: bytes, public: bytes) -> int:
        """Load an imported object; ``public`` with its size in front. Returns its handle."""
        parameters = sized(private) + public
        reader = self._run(Code.LOAD, [parent], parameters, [authorization], handles_back=True)
        return reader.number(4)

    def certify(
        self, key: int, policy: Authorization, signer: int, qualifying: bytes
    ) -> tuple[bytes, bytes]:
        """Certify a key; return TPMS_ATTEST and TPMT_SIGNATURE of an HMAC."""
        parameters = sized(qualifying) + struct.pack(">H", Algorithm.NULL)
        reader = self._run(Code.CERTIFY, [key, signer], parameters, [policy, PASSWORD])
        attest = reader.sized()
        return attest, reader.take(2 + 2 + 32)

    def sign(self, key: int, scheme: Algorithm, hashed: Algorithm, digest: bytes) -> TpmReader:
        """Sign a digest; return a reader at the TPMT_SIGNATURE."""
        ticket = struct.pack(">HI", _TK_HASHCHECK, _NULL) + sized(b"")
        parameters = sized(digest) + struct.pack(">HH", scheme, hashed) + ticket
        return self._run(Code.SIGN, [key], parameters, [PASSWORD])

    def flush(self, handle: int) -> None:
        """Forget a key or a session."""
        self._run(Code.FLUSH_CONTEXT, [], struct.pack(">I", handle))

    def _run(
        self,
        code: Code,
        handles: Sequence[int],
        parameters: bytes,
        sessions: Sequence[Authorization] = (),
        *,
        handles_back: bool = False,
    ) -> TpmReader:
        """Return a reader at the handles, where there are some, else at the parameters.

        Raises:
            Unavailable: ``tpm-command-failed``; ``seen`` is the response code.
        """
        body = b"".join(struct.pack(">I", handle) for handle in handles)
        if sessions:
            area = b"".join(session.area for session in sessions)
            body += struct.pack(">I", len(area)) + area
        body += parameters
        tag = _SESSIONS if sessions else _NO_SESSIONS
        command = struct.pack(">HII", tag, 10 + len(body), code) + body
        for _ in range(_MAX_TRIES):
            response = self._tpm.transact(command)
            (returned,) = struct.unpack_from(">I", response, 6)
            if returned != _RETRY:
                break
        if returned:
            raise Unavailable(
                "tpm-command-failed",
                f"TPM2 {code.name} was refused with {returned:#x}",
                where="TPM",
                expected="0",
                seen=f"{returned:#x}",
            )
        reader = TpmReader(response[10:], f"response to {code.name}")
        if sessions and not handles_back:
            reader.number(4)  # size of the parameters
        return reader
