"""Certz uploads in both generations of their certificates.

The model knows the new fields (``raw_certificate``, ``raw_private_key``, or a source); a row
says which of the two generations are filled. Source: docs/dialects.md#what-differs.
"""

import base64
from collections.abc import Iterator
from typing import Final

from bootz.errors import ConfigError
from bootz.model.bootstrap import CertzProfile, JsonObject
from bootz.wire.dialects import Dialect
from bootz.wire.generated import certz_pb2 as certz
from bootz.wire.json_form import read_json, write_json

UNNAMED_PROFILE: Final = "bootz"
"""The id that stands for the one profile of a dialect whose profile has no name."""


def sole_profile(profiles: tuple[CertzProfile, ...]) -> CertzProfile | None:
    """Return the one that a dialect with room for one carries: the primary, else the first."""
    return next((each for each in profiles if each.primary), next(iter(profiles), None))


def write_certz(value: JsonObject, message: certz.UploadRequest, dialect: Dialect) -> None:
    """Fill an upload from its JSON form with the fields that the dialect reads.

    Raises:
        ConfigError: something does not fit, or names a source that the dialect does not know.
    """
    write_json(value, message, "certz")
    for certificate, where in _certificates(message):
        _spell(certificate, where, dialect)


def read_certz(message: certz.UploadRequest) -> JsonObject:
    """Return the JSON form of an upload, in the new fields.

    An authentication policy is given as ``type_url`` and base64 ``value``, never unpacked: its
    type is the device's affair.
    """
    upload = certz.UploadRequest()
    upload.CopyFrom(message)
    policies: dict[int, dict[str, str]] = {}
    for number, entity in enumerate(upload.entities):
        policy = entity.authentication_policy
        if entity.HasField("authentication_policy") and policy.HasField("serialized"):
            policies[number] = {
                "type_url": policy.serialized.type_url,
                "value": base64.b64encode(policy.serialized.value).decode(),
            }
            policy.ClearField("serialized")
    for certificate, _ in _certificates(upload):
        if certificate.certificate and certificate.WhichOneof("certificate_type") is None:
            certificate.raw_certificate = certificate.certificate
        if certificate.private_key and certificate.WhichOneof("private_key_type") is None:
            certificate.raw_private_key = certificate.private_key
        certificate.ClearField("certificate")
        certificate.ClearField("private_key")
    form = dict(read_json(upload))
    if policies:
        entities = form["entities"]
        # As MessageToDict promises; it types its result as a plain dict.
        assert isinstance(entities, list)  # noqa: S101
        for number, serialized in policies.items():
            entities[number]["authentication_policy"] = {"serialized": serialized}
    return form


def _certificates(message: certz.UploadRequest) -> Iterator[tuple[certz.Certificate, str]]:
    for number, entity in enumerate(message.entities):
        kind = entity.WhichOneof("entity")
        if kind == "certificate_chain":
            chain = entity.certificate_chain
        elif kind == "trust_bundle":
            chain = entity.trust_bundle
        else:
            continue
        where = f"certz.entities[{number}].{kind}"
        while True:
            if chain.HasField("certificate"):
                yield chain.certificate, f"{where}.certificate"
            if not chain.HasField("parent"):
                break
            chain, where = chain.parent, f"{where}.parent"


def _spell(message: certz.Certificate, where: str, dialect: Dialect) -> None:
    if not dialect.raw_certificates:
        for oneof, source in (
            ("certificate_type", "cert_source"),
            ("private_key_type", "key_source"),
        ):
            if message.WhichOneof(oneof) == source:
                raise ConfigError(
                    "certz-source-unknown",
                    f"the release {dialect.name} has no sources",
                    where=f"{where}.{source}",
                )
    certificate = message.raw_certificate or message.certificate
    key = message.raw_private_key or message.private_key
    message.ClearField("certificate")
    message.ClearField("private_key")
    if dialect.plain_certificates:
        message.certificate = certificate
        message.private_key = key
    if not dialect.raw_certificates:
        message.ClearField("certificate_type")
        message.ClearField("private_key_type")
        return
    if certificate and message.WhichOneof("certificate_type") != "cert_source":
        message.raw_certificate = certificate
    if key and message.WhichOneof("private_key_type") != "key_source":
        message.raw_private_key = key
