"""Reasons of the streams: why a proof of identity was not accepted, and what a person does."""

from bootz.reasons.reason import Fault, Reason

_ASK_VENDOR = "Ask the vendor; docs/streams.md describes each challenge and answer, byte by byte."
_FOREIGN = (
    "Compare the key in the inventory with the router's (`bootz chassis show`); if it is right, "
    "treat "
    "the router as an intruder: the sender does not have the key."
)

ROWS = (
    Reason(
        "stream-identity-missing",
        Fault.MALFORMED,
        "A stream began without an identity of a type that this call supports.",
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
        "The inventory does not have the TPM key that this proof needs.",
        "Get the EK or PPK from the vendor and store it (`bootz chassis set --tpm-ek`).",
    ),
    Reason(
        "tpm-key-unusable",
        Fault.INTERNAL,
        "The TPM key in the inventory cannot be used to encrypt a challenge.",
        "Store the router's RSA-2048 key (TPM 1.2: RSA); the detail names the present one.",
    ),
    Reason(
        "stream-out-of-order",
        Fault.PRECONDITION,
        "A message arrived on a stream out of order.",
        "Ask the vendor; docs/streams.md has the table of states and messages.",
    ),
    Reason(
        "challenge-kind-mismatch",
        Fault.PRECONDITION,
        "The answer to a challenge has another type than the challenge.",
        _ASK_VENDOR,
    ),
    Reason(
        "challenge-late",
        Fault.DEADLINE,
        "The answer to an HMAC challenge arrived after more than 10 seconds.",
        "Check the network and the load of the router's TPM; the router tries again.",
    ),
    Reason(
        "challenge-unanswered",
        Fault.DEADLINE,
        "The router closed the stream without answering its challenge.",
        "Read the router's log: its TPM or its IDevID key may have failed.",
    ),
    Reason(
        "challenge-signature-invalid",
        Fault.MALFORMED,
        "The signature in the answer is not one of the IDevID over the challenge.",
        "Check the router's IDevID key; if it is right, an intruder uses a foreign certificate.",
    ),
    Reason(
        "challenge-nonce-mismatch",
        Fault.MALFORMED,
        "The signed transport key does not contain the nonce of this stream's challenge.",
        "If it happens again, look for a replay of answers from other streams.",
    ),
    Reason(
        "tpm-structure-malformed",
        Fault.MALFORMED,
        "A TPM structure is truncated, too long, has surplus bytes, or is of another type.",
        _ASK_VENDOR,
    ),
    Reason(
        "tpm-hmac-invalid",
        Fault.MALFORMED,
        "The MAC in the answer was not made with the key that was sent for this TPM.",
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
        "The TPM certified another key than the one in the answer.",
        _ASK_VENDOR,
    ),
    Reason(
        "tpm-transport-key-unbound",
        Fault.MALFORMED,
        "The TPM's certification does not name the transport key of the same answer.",
        "If it happens again, look for something between router and server that replaces keys.",
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
        "A stream was idle for too long.",
        "Check the network between router and server; the router tries again by itself.",
    ),
    Reason(
        "streams-full",
        Fault.UNAVAILABLE,
        "A stream without a proven identity was closed to make room for others.",
        "Look for peers that open streams and leave them idle (`bootz attempts`, the log).",
    ),
    Reason(
        "tpm-key-absent",
        Fault.CONFIGURATION,
        "The router's TPM does not have the key that the server asked for.",
        "Compare the type of key in the server's inventory with `bootz router show`.",
    ),
    Reason(
        "tpm-unavailable",
        Fault.UNAVAILABLE,
        "The router's TPM cannot be started, or stopped in the middle of a command.",
        "Install swtpm (Debian: `apt install swtpm`), or use `--tpm soft`.",
    ),
    Reason(
        "tpm-command-failed",
        Fault.UNAVAILABLE,
        "The router's TPM refused a command.",
        "Look up the response code in the TPM specification; a factory reset does not help.",
    ),
    Reason(
        "stream-identity-unfit",
        Fault.CONFIGURATION,
        "The router's identity cannot be proven with these calls.",
        "Use `--flow stream-v1`: only this flow supports a TPM 1.2.",
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
        "The server sent an unexpected message on a stream.",
        "Compare the server's release with docs/streams.md.",
    ),
)
