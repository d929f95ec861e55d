"""Vendors: whose CAs vouch for devices and vouchers."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, JsonValue

from bootz.server.api.routes.documents import STRICT, Verbs, document_router
from bootz.server.operations.vendors import (
    VendorRecord,
    add_vendor,
    find_vendor,
    list_vendors,
    remove_vendor,
    set_vendor,
)


class VendorView(BaseModel):
    """A manufacturer on record. Certificates are PEM."""

    model_config = STRICT

    name: str = Field(max_length=128)
    aliases: list[str] = Field([], max_length=16)
    ien: str = Field("", max_length=10, description="IANA enterprise number, digits.")
    idevid_ca: str = Field(max_length=1 << 20, description="The CAs of its IDevIDs.")
    intermediates: str = Field("", max_length=1 << 20)
    voucher_ca: str = Field(
        "", max_length=1 << 20, description="The CAs of its vouchers. Empty: idevid_ca."
    )
    settings: dict[str, JsonValue] = Field({}, description="Keys as `bootz import` takes them.")


def _read(given: Mapping[str, Any]) -> VendorRecord:
    return VendorRecord.from_document(given, where=f"vendor {given['name']!r}")


router = document_router(
    "vendor",
    "vendors",
    VendorView,
    Verbs(_read, list_vendors, find_vendor, add_vendor, set_vendor, remove_vendor),
)
