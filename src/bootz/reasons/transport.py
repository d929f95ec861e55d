"""Reasons of transports: messages and listeners."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "message-too-large",
        Fault.TOO_LARGE,
        "A message is longer than the receiver accepts.",
        "Ask the vendor why the message is so large; the limit is `limits.max_message_bytes`.",
    ),
    Reason(
        "message-compressed",
        Fault.UNIMPLEMENTED,
        "A message is compressed, which the receiver does not support.",
        "Switch compression off in the peer's gRPC client.",
    ),
    Reason(
        "message-cut",
        Fault.MALFORMED,
        "The peer's stream ended inside a message.",
        "Check the network between the two; the peer tries again by itself.",
    ),
    Reason(
        "listen-failed",
        Fault.UNAVAILABLE,
        "The server cannot listen on an address.",
        "Stop the program that uses the port, or choose another with --listen.",
    ),
    Reason(
        "worker-failed",
        Fault.UNAVAILABLE,
        "A process that was to serve a part of the site did not come up.",
        "Read the error that it wrote before this one; `bootz serve --workers 1` shows it alone.",
    ),
    Reason(
        "tls-material-unusable",
        Fault.CONFIGURATION,
        "The server's TLS certificate and key cannot be loaded together.",
        "Issue a new certificate (`bootz keys rotate tls`; for the operator's door "
        "`bootz keys door`), or use files that belong together.",
    ),
    Reason(
        "method-unknown",
        Fault.UNIMPLEMENTED,
        "The peer called a method that this server does not serve.",
        "Compare the router's release with the dialects in docs/dialects.md.",
    ),
    Reason(
        "http2-engine-missing",
        Fault.CONFIGURATION,
        "The HTTP/2 engine that the settings name is not installed.",
        "Install it (`pip install bootz[fast]`), or set `transport.http2_engine: auto`.",
    ),
    Reason(
        "proxy-header-missing",
        Fault.MALFORMED,
        "A load balancer that is named in the settings sent no header of the PROXY protocol.",
        "Let it send version 2 (HAProxy: `send-proxy-v2` at the server), or take its address out "
        "of `transport.proxy_protocol_from`.",
    ),
    Reason(
        "proxy-header-invalid",
        Fault.MALFORMED,
        "A header of the PROXY protocol is cut, of another version, or does not name a router.",
        "Let the load balancer send version 2 for TCP (HAProxy: `mode tcp` and `send-proxy-v2`).",
    ),
    Reason(
        "proxy-header-unexpected",
        Fault.MALFORMED,
        "A connection began with a header of the PROXY protocol that the server does not believe.",
        "If it is your load balancer, name its address in `transport.proxy_protocol_from`; else "
        "find out who wants to be taken for another address.",
    ),
)
