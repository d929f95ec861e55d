"""Writes samples and material anew: `cd tests && python -m fuzz.make_corpus`.

Keys and certificates differ each time; a sample that a finding was made of is added by hand, and
stays.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dhcp.plans import MODULAR, SUBNETS, device
from fuzz.corpus import CORPUS, MATERIAL
from transport.http2_peer import call, frame, opened, settings
from trust import cms_forge, world
from vectors import tpm as vector

from bootz.dhcp.records import DhcpPlan
from bootz.dhcp.render_kea import render_kea
from bootz.dhcp.render_text import render_dnsmasq, render_isc
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import (
    BootConfig,
    BootstrapData,
    BootstrapRequest,
    CardState,
    CertzProfile,
    ReportedStatus,
    SoftwareImage,
    StatusReport,
)
from bootz.model.challenge import HmacAnswer, TransportKey
from bootz.model.chassis import ChassisDescriptor, ClaimedCard
from bootz.model.kinds import CardStatus
from bootz.protocol.dhcp_offer import Family
from bootz.trust.bundle import pack_bundle
from bootz.trust.certificate_form import pem_from_der
from bootz.trust.tpm import tpm12, tpm20
from bootz.trust.tpm.structures import sized
from bootz.trust.voucher_content import write_content
from bootz.wire.answers import encode_answer, encode_bootstrap_data
from bootz.wire.dhcp4 import Message4, MessageType4, Op, Option4, encode_message4
from bootz.wire.dhcp6 import (
    IaAddress,
    IaNa,
    Message6,
    MessageType6,
    Option6,
    RelayEnvelope,
    encode_ia_na,
    encode_message6,
)
from bootz.wire.dhcp_identity import DhcpIdentity
from bootz.wire.dialects import DIALECTS
from bootz.wire.frames import UdpFrame, encode_frame
from bootz.wire.ovgs import messages as ovgs
from bootz.wire.redirect import RedirectShape, encode_redirect
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request
from bootz.wire.streams import STREAM_CODECS, Acknowledged
from bootz.wire.transport_key import encode_transport_key
from bootz.wire.uri import parse_bootz_uri

Samples = Iterator[tuple[str, str, bytes | str]]
"""Harness, name of the sample, its bytes."""

_PORT = DhcpIdentity(bytes.fromhex("02aa00000010"), "FOX1")
_URIS = (parse_bootz_uri("bootz://10.0.0.1:15006"), parse_bootz_uri("bootz://[2001:db8::1]/a?b"))


def _wire() -> Samples:
    active = CardState("RP0", CardStatus.NOT_INITIALIZED)
    cards = (ClaimedCard("RP0", "8800-RP", "0"), ClaimedCard("RP1", "8800-RP", "1"))
    request = BootstrapRequest(ChassisDescriptor("Acme", "8812", "CH1", cards), active, "nonce")
    report = StatusReport(ReportedStatus.SUCCESS, "done", (active,))
    data = BootstrapData(
        "RP0",
        world.pdc().der,
        SoftwareImage("xr", "7.11", "https://a.example/xr", "ab" * 32),
        boot_config=BootConfig({"note": [1, "x"]}, b"hostname r1\n", b'{"a:b": {"c": 1}}'),
        authz={"version": "1", "policy": '{"name": "p", "allow_rules": [{"name": "r"}]}'},
        certz_profiles=(CertzProfile("p1", {"entities": []}, primary=True),),
    )
    sealed = SealedData(b"data", "c2ln", b"\x30\x00", b"\x30\x00")
    for number, dialect in enumerate(DIALECTS):
        begin = bytes([number])
        payload = encode_bootstrap_data((data,), dialect)
        answer = encode_answer(replace(sealed, payload=payload), dialect)
        yield "bootstrap_request", dialect.name, begin + encode_bootstrap_request(request, dialect)
        yield "status_report", dialect.name, begin + encode_report(report, dialect)
        yield "bootstrap_data", dialect.name, begin + payload
        yield "bootstrap_answer", dialect.name, begin + answer
    challenge = HmacAnswer(vector.IAK_PUBLIC, vector.CERTIFY_INFO, vector.SIGNATURE, b"key")
    for number, codec in enumerate(STREAM_CODECS.values()):
        begin = bytes([number])
        bound = challenge if number else replace(challenge, transport_key=b"")
        yield "stream_request", f"request-{number}", begin + codec.tell(request)
        yield "stream_request", f"report-{number}", begin + codec.tell(report)
        yield "stream_request", f"hmac-{number}", begin + codec.tell(bound)
        yield "stream_answer", f"done-{number}", begin + codec.reply(Acknowledged())
        yield "stream_answer", f"data-{number}", begin + codec.reply(sealed)
    key = TransportKey(1, bytes(range(32)), b"nonce")
    yield "transport_key", "key", encode_transport_key(key)
    for shape in (RedirectShape.RFC8572, RedirectShape.U8, RedirectShape.TEXT):
        yield "redirect", shape.value, encode_redirect(_URIS, shape)
    for number, uri in enumerate((*_URIS, "bootz://server.example", "BOOTZ://A-b_c.d.:1/x?y")):
        yield "bootz_uri", str(number), str(uri)
    yield (
        "reference_config",
        "config",
        (
            'server_address: "10.0.0.1"\nserver_port: "15006"\nvendor_ca_certs: "MAA="\n'
            'trust_anchor { cert: "MAA=" key: "MAA=" }\n'
            'chassis {\n manufacturer: "Acme"\n hostname: "r1"\n boot_mode: BOOT_MODE_SECURE\n'
            ' control_cards { serial_number: "RP0" ownership_voucher: "MAA=" }\n'
            ' boot_config { vendor_config: "hostname r1\\n" }\n}\n'
        ),
    )
    yield (
        "server_data",
        "line",
        "hostname r1\nztp bootz-server ip 10.0.0.1 port 15006 trust-anchor /disk0:/a.pem\n",
    )
    yield (
        "server_data",
        "yang",
        (
            '{"Cisco-IOS-XR-um-ztp-cfg:ztp": {"bootz-server": {"address": "10.0.0.1", "port": 1},'
            ' "bootz": {"bootz-vrf": "default"}}}'
        ),
    )


def _dhcp() -> Samples:
    redirect = encode_redirect(_URIS)
    offer = Message4(
        Op.REPLY,
        7,
        _PORT.mac,
        options={
            Option4.MESSAGE_TYPE: bytes([MessageType4.OFFER]),
            Option4.SERVER_ID: bytes([10, 0, 0, 1]),
            Option4.NAME_SERVERS: bytes([10, 0, 0, 2]),
            Option4.REDIRECT: redirect,
        },
        yours=IPv4Address("10.0.0.12"),
    )
    yield "dhcp4", "offer", encode_message4(offer)
    leased = IaNa(1, 60, 90, (IaAddress(IPv6Address("2001:db8::12"), 120, 240),))
    options = (
        (Option6.CLIENT_ID, _PORT.duid),
        (Option6.SERVER_ID, b"\0\1"),
        (Option6.IA_NA, encode_ia_na(leased)),
        (Option6.REDIRECT, redirect),
    )
    advertise = Message6(MessageType6.ADVERTISE, 7, options)
    link = IPv6Address("2001:db8::1")
    yield "dhcp6", "advertise", encode_message6(advertise)
    relay = RelayEnvelope(1, link, link, ((18, b"port"),))
    yield "dhcp6", "relayed", encode_message6(advertise, (relay,), MessageType6.RELAY_FORW)
    address = IPv4Address("10.0.0.1")
    udp = UdpFrame(_PORT.mac, b"\xff" * 6, address, address, 67, 68, b"payload")
    yield "frame", "udp", encode_frame(udp)
    plan = DhcpPlan((device(), MODULAR), SUBNETS)
    for family, number in ((Family.IPV4, 4), (Family.IPV6, 6)):
        yield "dhcp_isc", f"v{number}", render_isc(plan, family)
        yield "dhcp_kea", f"v{number}", json.dumps(render_kea(plan, family))
    yield "dhcp_dnsmasq", "both", render_dnsmasq(plan)
    yield (
        "dhcp_isc",
        "conditions",
        (
            'option space b; option x code 143 = string;\nclass "r" { match if substring '
            '(option vendor-class-identifier, 0, 5) = "bootz"; option x 00:02; }\n'
            'subnet 10.0.0.0 netmask 255.255.255.0 { pool { deny members of "r";  } }'
        ),
    )
    yield (
        "dhcp_kea",
        "classes",
        (
            '{"Dhcp4": {"client-classes": [{"name": "r", "test": "substring(option[60].hex,0,5)'
            ' == \'bootz\' and not member(\'x\')"}], # c\n "subnet4": [{"id": 1, "subnet":'
            ' "10.0.0.0/24", "pools": [{"pool": "10.0.0.9 - 10.0.0.20"}]}]}}'
        ),
    )
    yield (
        "dhcp_dnsmasq",
        "tags",
        (
            "dhcp-range=set:a,10.0.0.9,10.0.0.20,1h\ndhcp-vendorclass=set:r,bootz\n"
            'dhcp-option=tag:r,143,"x"\ndhcp-host=02:aa:00:00:00:10,id:00:46,10.0.0.12,r1,set:h\n'
        ),
    )
    yield "lease_log", "events", '{"event": "ack", "at": "2026-11-28T00:00:00Z"}\n{}\n[]\nx\n'
    yield "lease_log", "nested", b"[" * 3000 + b"\n"
    answer = struct.pack("!4B11I", 0x24, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 5, 6, 7, 8)
    yield "sntp_answer", "answer", answer


def _trust() -> Samples:
    vendor, pdc = world.vendor(), world.pdc()
    pem = pem_from_der([pdc.der, vendor.root.der])
    voucher = vendor.issue(world.content(pdc.der))
    content = write_content(world.content(pdc.der))
    yield "certificate", "pdc", pdc.der
    yield "certificate", "ca", vendor.root.der
    subject = world.name("r", serial="PID:8812 SN:FOX1")
    yield "certificate", "idevid", world.forge(subject, world.curve_key(), vendor.root).der
    yield "certificate_file", "pem", b"remark\n" + pem
    yield "certificate_file", "der", pdc.der
    yield "certificate_file", "base64", base64.b64encode(pdc.der)
    yield "cms", "voucher", voucher
    yield "cms", "ber", cms_forge.indefinite(voucher)
    yield "voucher", "json", voucher
    yield "voucher_content", "json", content
    yield (
        "voucher_content",
        "xml",
        (
            '<voucher xmlns="urn:ietf:params:xml:ns:yang:ietf-voucher"><created-on>'
            "2026-05-04T12:00:00Z</created-on><assertion>verified</assertion><serial-number>FOX1</serial-number>"
            f"<pinned-domain-cert>{base64.b64encode(pdc.der).decode()}</pinned-domain-cert></voucher>"
        ),
    )
    yield "voucher_file", "der", voucher
    yield "voucher_file", "base64", base64.encodebytes(voucher)
    yield "voucher_bundle", "two", pack_bundle({"FOX1": b"\x30\x03\x02\x01\x05", "FOX2": b"\x30\0"})
    asked = {
        "serial-number": "FOX1",
        "created-on": "2026-11-28T00:00:00Z",
        "assertion": "proximity",
        "pinned-domain-cert": base64.b64encode(pdc.der).decode(),
    }
    yield "voucher_request", "one", json.dumps(asked)
    yield "voucher_request", "list", json.dumps([asked, {**asked, "serial-number": "FOX2"}])
    yield "voucher_request", "contained", json.dumps({"ietf-voucher:voucher": asked})


def _tpm() -> Samples:
    parent = rsa.generate_private_key(65537, 2048)
    (MATERIAL / "parent.der").write_bytes(
        parent.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    public = parent.public_key()
    wrapped = tpm20.wrap_key(tpm20.HmacKey(bytes(32), bytes(32)), public, seed=bytes(32))
    parts = (sized(wrapped.public), sized(wrapped.duplicate), wrapped.seed)
    yield "credential_blob", "import", b"".join(parts)
    contents = tpm12.build_contents(bytes(32), bytes(20))
    yield "credential_blob", "activation", tpm12.encrypt_contents(contents, public)
    yield "credential_blob", "sensitive", tpm20.HmacKey(bytes(32), bytes(32)).sensitive
    yield "credential_blob", "session", tpm12.session_key(bytes(32))
    yield "credential_blob", "oaep", public.encrypt(bytes(32), _oaep())
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    certificate = world.pdc().der
    yield "ek_certificate", "key", spki
    yield "ek_certificate", "padded", certificate + b"\xff" * 40
    yield "ek_certificate", "two", certificate + world.vendor().root.der
    yield "tpm_public", "iak", vector.IAK_PUBLIC
    yield "tpm_public", "attest", vector.CERTIFY_INFO
    parts = (vector.IAK_PUBLIC, vector.CERTIFY_INFO, vector.SIGNATURE)
    yield "tpm_answer", "vector", b"".join(sized(part) for part in parts) + vector.TRANSPORT_KEY


def _oaep() -> padding.OAEP:
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"DUPLICATE\0")


def _files() -> Samples:
    rows = "manufacturer,serial_number,hostname,profile\nAcme,FOX1,r1,edge\n"
    yield "import_csv", "plain", rows
    yield "import_csv", "semicolon", "sep=;\r\n" + rows.replace(",", ";").replace("r1", '"r;""1"')
    yield "import_csv", "utf16", ("\ufeff" + rows).encode("utf-16-le")
    document = {
        "version": 1,
        "vendors": [{"name": "Acme", "aliases": ["ACME"], "settings": {"on": True}}],
        "profiles": [{"name": "edge", "vendor_config": "a\n", "variables": {"n": 1.5, "x": None}}],
        "chassis": [{"vendor": "Acme", "serial_number": "0123", "cards": [{"slot": "0"}]}],
    }
    yield "import_json", "inventory", json.dumps(document, indent=1)
    yield (
        "import_yaml",
        "inventory",
        (
            "version: 1\nprofiles:\n- name: edge\n  vendor_config: |\n   a\n  variables: {n: 1e5}\n"
            'chassis:\n- {vendor: Acme, serial_number: "0123"}\n'
        ),
    )
    yield (
        "site_config",
        "site",
        (
            "listen: [0.0.0.0:15006]\nsources:\n- name: sot\n  kind: netbox\n  url: https://a.example\n"
            "  token_file: t\n  select: {status: [planned]}\nretention: {attempts_days: 90}\n"
        ),
    )
    yield (
        "key_uri",
        "uri",
        "pkcs11:token=T;object=O;id=%01?module-path=/usr/lib/p.so&pin-source=file:/etc/pin",
    )
    for number, text in enumerate(
        (
            "[::1]:8443",
            "10.0.0.1:0",
            "https://a.example/b",
            "02:aa:00:00:00:10",
            "whsec_" + "A" * 44,
        )
    ):
        yield "typed_values", str(number), text
    yield "openconfig_json", "document", '{"openconfig-system:system": {"config": {"a": [1, {}]}}}'


def _network() -> Samples:
    yield "image_ranges", "range", b"\xffbytes=0-99"
    yield "image_ranges", "suffix", b"\x10bytes=-5"
    yield "image_ranges", "tags", b'\0W/"ab", "cd", *'
    yield "image_http", "get", b"GET /images/ab/xr HTTP/1.1\r\nHost: d\r\nRange: bytes=1-\r\n\r\n"
    yield (
        "image_http",
        "chunked",
        (
            b"PUT / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            b"HEAD / HTTP/1.0\r\n\r\n"
        ),
    )
    exchange = settings() + call() + frame(6, b"8octets!") + opened(stream_id=3, ended=True)
    yield "http2_meter", "exchange", b"\x40" + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + exchange
    yield "http2_engines", "exchange", b"\x08" + exchange
    yield "http2_engines", "resets", b"\xff" + exchange + frame(3, bytes(4), stream_id=1)
    yield "grpc_messages", "two", b"\x03" + b"\0\0\0\0\x05hello" + b"\0\0\0\0\0"
    head = b"\r\n\r\n\0\r\nQUIT\n"
    addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack("!HH", 1234, 15006)
    yield "proxy_header", "v4", head + b"\x21\x11\0\x0c" + addresses
    yield "proxy_header", "local", head + b"\x20\0\0\0"
    for kind, mark in (("netbox", "netbox-version"), ("nautobot", "nautobot-version")):
        parts = (
            {mark: "4.6.8"},
            {"count": 1, "results": [_device()]},
            {"count": 1, "results": [{"id": 3, "model": "8812", "part_number": "P"}]},
            {"count": 1, "results": [_module()]},
            {"count": 1, "results": [{"id": 5, "name": "RP0", "parent_device": {"id": 1}}]},
            {"count": 1, "results": [{"id": 6, "name": "Mg0", "device": {"id": 1}}]},
            {"count": 1, "results": [{"id": 7, "model": "RP", "part_number": "P"}]},
        )
        body = b"\n".join(json.dumps(part, separators=(",", ":")).encode() for part in parts)
        yield "source_answers", kind, b"\0" + body
        yield "source_answers", f"{kind}-refused", b'\x03{"detail": "no"}'
    yield "source_webhook", "event", b'{"event": "updated", "request_id": "echo", "username": "x"}'
    yield "source_webhook", "nested", b'{"request": {"id": "echo", "user": "bootz"}}'
    issue = ovgs.GetOwnershipVoucherRequest(cert_id="c")
    issue.component.ien = "1"
    issue.lifetime.FromDatetime(datetime(2027, 1, 1, tzinfo=UTC))
    yield "ovgs_request", "voucher", b"\x0c" + issue.SerializeToString()
    yield "ovgs_request", "group", b"\0" + ovgs.CreateGroupRequest(parent="g").SerializeToString()


def _device() -> dict[str, object]:
    named = {"id": 2, "name": "n", "slug": "n"}
    return {
        "id": 1,
        "name": "r1",
        "serial": "FOX1",
        "status": {"value": "planned", "label": "Planned"},
        "tags": [named],
        "device_type": {"id": 3, "model": "8812", "manufacturer": named},
        "role": named,
        "location": {"id": 9, "name": "Oslo", "parent": {"id": 9}},
        "primary_ip4": {"id": 1, "address": "10.0.0.12/24"},
        "custom_fields": {"f": {"value": "a", "label": "A"}},
        "config_context": {"a": 1},
        "vc_position": 1,
    }


def _module() -> dict[str, object]:
    return {
        "id": 4,
        "device": {"id": 1},
        "module_bay": {"id": 5},
        "parent_module_bay": {"id": 5},
        "module_type": {"id": 7, "model": "RP"},
        "serial": "RP0",
    }


def main() -> None:
    """Write everything."""
    MATERIAL.mkdir(exist_ok=True)
    (MATERIAL / "ca.der").write_bytes(world.vendor().root.der)
    for make in (_wire, _dhcp, _trust, _tpm, _files, _network):
        for harness, name, content in make():
            folder = CORPUS / harness
            folder.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
