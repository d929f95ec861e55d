"""Reasons of the streams: why a proof of identity was not accepted, and what a person does."""

from bootz.reasons.reason import Fault, Reason

_ASK_VENDOR = (
    "Ask the vendor; docs/streams.md has the form of each challenge and answer, byte by byte."
)
_FOREIGN = (
    "Compare the key on record with the router's (`bootz chassis show`); if it is right, treat "
    "the router as foreign: somebody answers who does not hold the key."
)

ROWS = (
    Reason(
        "stream-identity-missing",
        Fault.MALFORMED,
        "A stream began without an identity of a kind that this call knows.",
        "Compare the router's release with docs/streams.md; drafts of streams are not served.",
    ),
    Reason(
        "aik-digest-malformed",
        Fault.MALFORMED,
        "A router with a TPM 1.2 sent no aik_pub_digest of 20 bytes.",
        _ASK_VENDOR,
    ),
    Reason(
        "streaming-not-allowed",
        Fault.UNIMPLEMENTED,
        "Streams are switched off for this chassis.",
        "Let the router use unary calls, or allow streams (`bootz chassis set --streaming`).",
    ),
    Reason(
        "tpm-key-missing",
        Fault.NOT_FOUND,
        "The inventory has no key of the card's TPM that this proof needs.",
        "Get the EK or PPK from the vendor and store it (`bootz chassis set --tpm-ek`).",
    ),
    Reason(
        "tpm-key-unusable",
        Fault.INTERNAL,
        "The TPM key on record is none that a challenge can be encrypted to.",
        "Store the router's RSA-2048 key (TPM 1.2: RSA); the detail names the one on record.",
    ),
    Reason(
        "stream-out-of-order",
        Fault.PRECONDITION,
        "A message came on a stream at a moment when it is not legal.",
        "Ask the vendor; docs/streams.md has the table of states and messages.",
    ),
    Reason(
        "challenge-kind-mismatch",
        Fault.PRECONDITION,
        "The answer to a challenge is of another kind than the challenge.",
        _ASK_VENDOR,
    ),
    Reason(
        "challenge-late",
        Fault.DEADLINE,
        "The answer to an HMAC challenge came later than 10 seconds after it.",
        "Look at the network and at the load of the router's TPM; the router tries again.",
    ),
    Reason(
        "challenge-unanswered",
        Fault.DEADLINE,
        "The router left its challenge unanswered and ended the stream.",
        "Look at the router's log: its TPM or its IDevID key did not do what was asked.",
    ),
    Reason(
        "challenge-signature-invalid",
        Fault.MALFORMED,
        "The signature that answers a challenge is not by the IDevID over what was asked.",
        "Check the router's IDevID key; if it is right, somebody presents another's certificate.",
    ),
    Reason(
        "challenge-nonce-mismatch",
        Fault.MALFORMED,
        "The signed transport key has not the nonce of this stream's challenge.",
        "If it repeats, look for something that replays answers of other streams.",
    ),
    Reason(
        "tpm-structure-malformed",
        Fault.MALFORMED,
        "A structure of a TPM is cut, too long, has surplus bytes, or is of another kind.",
        _ASK_VENDOR,
    ),
    Reason(
        "tpm-hmac-invalid",
        Fault.MALFORMED,
        "The MAC that answers a challenge is not by the key that was sent for this TPM.",
        _FOREIGN,
    ),
    Reason(
        "tpm-iak-unfit",
        Fault.MALFORMED,
        "The key that the TPM certified is not fixed to it and restricted to signing.",
        _ASK_VENDOR,
    ),
    Reason(
        "tpm-certification-unfit",
        Fault.MALFORMED,
        "What the TPM certified is not the key that came along.",
        _ASK_VENDOR,
    ),
    Reason(
        "tpm-transport-key-unbound",
        Fault.MALFORMED,
        "The TPM's certification does not name the transport key of the same answer.",
        "If it repeats, look for something between router and server that swaps keys.",
    ),
    Reason(
        "tpm-import-refused",
        Fault.UNAUTHENTICATED,
        "The challenge cannot be opened by this TPM.",
        "Compare the TPM key in the server's inventory with `bootz router show`.",
    ),
    Reason(
        "stream-idle",
        Fault.DEADLINE,
        "Nothing came on a stream for as long as one may be idle.",
        "Look at the network between router and server; the router tries again by itself.",
    ),
    Reason(
        "streams-full",
        Fault.UNAVAILABLE,
        "A stream that had proven nothing was closed to make room for others.",
        "Look for the peers that open streams and leave them (`bootz attempts`, the log).",
    ),
    Reason(
        "tpm-key-absent",
        Fault.CONFIGURATION,
        "The router's TPM has not the key that the server asked for.",
        "Compare the kind of key in the server's inventory with `bootz router show`.",
    ),
    Reason(
        "tpm-unavailable",
        Fault.UNAVAILABLE,
        "The router's TPM cannot be started, or ended in the middle of a command.",
        "Install swtpm (Debian: `apt install swtpm`), or use `--tpm soft`.",
    ),
    Reason(
        "tpm-command-failed",
        Fault.UNAVAILABLE,
        "The router's TPM refused a command.",
        "Look up the response code in the TPM's specification; a factory reset does not help.",
    ),
    Reason(
        "stream-identity-unfit",
        Fault.CONFIGURATION,
        "The router's identity cannot be proven in this flow.",
        "Choose `--flow stream-v1`: only it knows a TPM 1.2.",
    ),
    Reason(
        "challenge-unexpected",
        Fault.MALFORMED,
        "The server's challenge is not for the identity that the router announced.",
        "Compare the server's release with docs/streams.md.",
    ),
    Reason(
        "stream-reply-unexpected",
        Fault.MALFORMED,
        "The server said something on a stream that was not due.",
        "Compare the server's release with docs/streams.md.",
    ),
)
