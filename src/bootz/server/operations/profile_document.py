"""What a class of routers gets: the document of a profile, validated at birth.

Text keys are Jinja2 templates. Keys of structured things (credentials, policies, certz, metadata,
bootloader) are either a template whose output is YAML or JSON, or the object itself, in which
every string is a template.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic import field_validator as checks

from bootz.errors import ConfigError
from bootz.server.operations.release import AnyRelease
from bootz.server.operations.texts import fault_words

MAX_TEMPLATE = 4 * 1024 * 1024
"""Characters of one template; the answer that carries it must fit a gRPC message."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
Template = Annotated[str, Field(max_length=MAX_TEMPLATE)]
Structured = Template | dict[str, JsonValue]

_FROZEN = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ImageRef(BaseModel):
    """An image, SMU or patch on record, by name and version."""

    model_config = _FROZEN

    name: Name
    version: Name


class ExternalImage(BaseModel):
    """An image at a URL elsewhere; ``sha256`` is 64 lower-case hex digits or empty if unknown."""

    model_config = _FROZEN

    name: Name
    version: Name
    url: Annotated[str, Field(min_length=1, max_length=2048)]
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


def _kind_of_image(value: object) -> str:
    """Tell the two apart by the URL, so that an error speaks of the one that was meant."""
    there = "url" in value if isinstance(value, Mapping) else isinstance(value, ExternalImage)
    return "elsewhere" if there else "on record"


AnyImage = Annotated[
    Annotated[ImageRef, Tag("on record")] | Annotated[ExternalImage, Tag("elsewhere")],
    Discriminator(_kind_of_image),
]


class _Quiet(BaseModel):
    """Its repr names what is set and never a value: any of them may be a secret."""

    model_config = _FROZEN

    def __repr_args__(self) -> list[tuple[str | None, object]]:
        return [("sets", sorted(self.model_fields_set))]


class CertzEntry(_Quiet):
    """A TLS profile for the device; ``primary`` is the one that old dialects get."""

    ssl_profile_id: Name
    certz: Structured
    primary: bool = False

    @checks("ssl_profile_id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value == "system_default_profile":
            raise ValueError("system_default_profile is the device's own and cannot be set")
        return value


class Content(_Quiet):
    """What a router gets. A key that is not set says nothing; an empty one says "empty".

    Empty is ``""`` for every key that may be left out of an answer, of an image and a script too.

    ``boot_config`` False leaves the boot configuration out of the answer altogether (a device
    takes that as "missing"). ``ztp_server_line`` and ``ta_file`` are the stored server data of
    workflow S5. ``image_hash_algorithm`` empty follows the dialect; ``redirect_shape``, how DHCP
    writes the list of servers, empty follows the vendor. ``owner_key`` ``p256``: the device
    verifies P-256, so the site signs with its P-256 owner key where it has one.
    """

    image: AnyImage | None = None
    smus: tuple[ImageRef, ...] = ()
    patches: tuple[ImageRef, ...] = ()
    script: Template | None = None
    boot_config: bool = True
    vendor_config: Template | None = None
    dynamic_vendor_config: Template | None = None
    oc_config: Structured | None = None
    dynamic_oc_config: Structured | None = None
    bootloader_config: Structured | None = None
    metadata: Structured | None = None
    boot_password_hash: Annotated[str, Field(max_length=1024)] | None = None
    credentials: Structured | None = None
    pathz: Structured | None = None
    authz: Structured | None = None
    certz_profiles: tuple[CertzEntry, ...] | None = None
    image_hash_algorithm: Literal["", "SHA256", "ietf-sztp-conveyed-info:sha-256"] = ""
    image_hash_format: Literal["hex", "colon-hex"] = "hex"
    ztp_server_line: Literal["auto", "on", "off"] = "auto"
    ta_file: Annotated[str, Field(max_length=1024)] = ""
    redirect_shape: Literal["", "rfc8572", "text", "u8"] = ""
    owner_key: Literal["first", "p256"] = "first"

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, document: object) -> object:
        if not isinstance(document, Mapping):
            return document
        return {
            name: None if value == "" and name in _MAY_LACK else value
            for name, value in document.items()
        }

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.script is not None and not self.script.startswith("#!"):
            raise ValueError("script: must start with #!")
        entries = self.certz_profiles or ()
        ids = [entry.ssl_profile_id for entry in entries]
        if len(set(ids)) != len(ids):
            raise ValueError("certz_profiles: ssl_profile_id is there twice")
        if sum(entry.primary for entry in entries) > 1:
            raise ValueError("certz_profiles: only one entry can be primary")
        return self

    def to_json(self) -> dict[str, JsonValue]:
        """Return the keys that are set, as JSON; ``Content.parse`` of it gives the same again.

        What is empty is ``""``: a file's ``null`` takes a key off the record.
        """
        if not self.model_fields_set:
            # As of nearly every chassis.
            return {}
        dumped: dict[str, JsonValue] = self.model_dump(mode="json", exclude_unset=True)
        return {
            name: "" if value is None and name in _MAY_LACK else value
            for name, value in dumped.items()
        }

    @classmethod
    def parse(cls, document: Mapping[str, object], *, where: str = "") -> Self:
        """Return the validated document.

        Raises:
            ConfigError: ``document-invalid``; names every key that does not fit, never its value.
        """
        try:
            return cls.model_validate(dict(document))
        except ValidationError as error:
            faults = [
                f"{'.'.join(map(str, fault['loc'])) or 'document'}: {fault_words(fault)}"
                for fault in error.errors(include_input=False, include_url=False)
            ]
            raise ConfigError("document-invalid", "; ".join(faults), where=where) from None

    def image_refs(self) -> tuple[tuple[str, ImageRef], ...]:
        """Return all images on record that this names, as (kind, reference)."""
        own = (("image", self.image),) if isinstance(self.image, ImageRef) else ()
        return (
            *own,
            *(("smu", ref) for ref in self.smus),
            *(("patch", ref) for ref in self.patches),
        )


_MAY_LACK = frozenset(name for name, field in Content.model_fields.items() if field.default is None)


class ProfileDocument(Content):
    """A profile: content, with defaults for variables, and the release its devices run."""

    variables: dict[str, JsonValue] = Field(default_factory=dict)
    release: AnyRelease | None = None

    def overridden_by(self, overrides: Content) -> "ProfileDocument":
        """Return this profile with every key that ``overrides`` sets replaced."""
        if not overrides.model_fields_set:
            # As nearly every chassis has it; both are frozen.
            return self
        own = {name: getattr(overrides, name) for name in overrides.model_fields_set}
        return self.model_copy(update=own)
