"""A NetBox or a Nautobot as it was recorded, behind its API: filters, pages, cursors, refusals.

The objects are those that NetBox 4.6.8 and Nautobot 3.2.7 answered with; tests change them. What
the recording lacks (types of modules, the location above another) is made of what it has.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RECORDED = Path(__file__).parent / "recorded"
TOKEN = "nbt_KEY123.SECRETsecret"
Entry = dict[str, Any]


class Product:
    """The lists of a product; ``kind`` is netbox or nautobot."""

    def __init__(self, kind: str) -> None:
        name = {"netbox": "netbox-4.6.8", "nautobot": "nautobot-3.2.7"}[kind]
        recorded = json.loads((RECORDED / f"{name}.json").read_text())
        self.kind = kind
        self.status: Entry = recorded["status"]["body"]
        self.version_header = recorded["status"]["headers"]["API-Version"]
        self.lists: dict[str, list[Entry]] = {
            "dcim/devices/": recorded["devices-all"]["body"]["results"],
            "dcim/device-types/": recorded["device-types"]["body"]["results"],
            "dcim/modules/": recorded["modules"]["body"]["results"],
            "dcim/module-bays/": recorded["module-bays"]["body"]["results"],
            "dcim/interfaces/": recorded["interfaces-mgmt"]["body"]["results"],
        }
        self.lists["dcim/module-types/"] = list(
            {
                each["module_type"]["id"]: {**each["module_type"], "part_number": ""}
                for each in self.lists["dcim/modules/"]
            }.values()
        )
        self.lists["dcim/locations/"] = self._locations()
        self.lists["extras/custom-fields/"] = [
            {"id": number, "name": field, "key": field}
            for number, field in enumerate(
                ("bootz_state", "bootz_reason", "bootz_last_attempt", "bootz_profile"), 1
            )
        ]
        for path, names in (
            ("extras/tags/", ("bootz", "rack-ready")),
            ("extras/statuses/", ("Active", "Planned", "Staged")),
            ("dcim/sites/", ("osl1",)),
        ):
            self.lists[path] = [
                {"id": number, "name": each, "slug": each} for number, each in enumerate(names, 1)
            ]
        self.entries: list[Entry] = []
        """Of the journals of all devices."""
        self.ignored: set[str] = set()
        """Names of filters that have no effect."""
        self.forbidden: set[str] = set()
        """Paths that the token may not see."""
        self.seen: list[tuple[str, str, Entry | None, dict[str, str]]] = []
        """Every request: method, path with query, body, headers."""
        self.before: Callable[[str, dict[str, list[str]]], None] = lambda _path, _query: None
        """Called before each answer."""
        self.refuse: tuple[int, str, bytes] | None = None
        """What every request gets instead: status, content type, body."""
        self.drops_fields = False
        self.location = ""

    def _locations(self) -> list[Entry]:
        found: dict[str, Entry] = {}
        for device in self.lists["dcim/devices/"]:
            place = device.get("location")
            if place:
                found[place["id"]] = place
                if above := place.get("parent"):
                    found[above["id"]] = {"id": above["id"], "name": "Oslo 1", "parent": None}
        return list(found.values())

    @property
    def devices(self) -> list[Entry]:
        return self.lists["dcim/devices/"]

    def device(self, name: str) -> Entry:
        return next(each for each in self.devices if each["name"] == name)

    def set_status(self, name: str, word: str) -> None:
        device = self.device(name)
        if self.kind == "netbox":
            device["status"] = {"value": word.lower(), "label": word.title()}
        else:
            device["status"] = {"id": f"status-{word}", "name": word.title()}

    def writes(self) -> list[tuple[str, str, Entry | None]]:
        return [(m, path, body) for m, path, body, _ in self.seen if m != "GET"]

    def answer(
        self, method: str, target: str, body: Entry | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        parts = urlsplit(target)
        self.seen.append((method, target, body, headers))
        if self.refuse is not None:
            status, kind, content = self.refuse
            extra = {"Location": self.location} if self.location else {}
            return status, {"Content-Type": kind, **extra}, content
        if headers.get("Authorization", "").split()[-1:] != [TOKEN]:
            return self._json(403, {"detail": "Invalid token"})
        path = parts.path.removeprefix("/api/")
        query: dict[str, list[str]] = {}
        for key, value in parse_qsl(parts.query):
            query.setdefault(key, []).append(value)
        self.before(path, query)
        if path in self.forbidden:
            return self._json(403, {"detail": "You do not have permission to perform this action."})
        if path == "status/":
            return self._json(200, self.status)
        if path in self.lists:
            return self._list(path, query)
        if path.startswith("extras/journal-entries/") or path.endswith("/notes/"):
            if method == "GET":
                return self._json(200, {"count": len(self.entries), "results": self.entries})
            self.entries.append(body or {})
            return self._json(201, {"id": len(self.entries)})
        return self._device(method, path, body, headers)

    def _device(
        self, method: str, path: str, body: Entry | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        key = path.removeprefix("dcim/devices/").rstrip("/")
        device = next((each for each in self.devices if str(each["id"]) == key), None)
        if device is None:
            return self._json(404, {"detail": "No Device matches the given query."})
        etag = f'W/"{device["last_updated"]}"'
        told = {"ETag": etag} if self.kind == "netbox" else {}
        if method == "PATCH":
            wanted = headers.get("If-Match")
            if self.kind == "netbox" and wanted and wanted != etag:
                return self._json(412, {"detail": "Precondition failed."}, told)
            self._patch(device, body or {})
            told = {"ETag": f'W/"{device["last_updated"]}"'} if told else {}
            if self.kind == "nautobot":
                # References are stubs in the answer to a PATCH.
                return self._json(200, {**device, "status": {"id": "stub", "url": "/"}})
        return self._json(200, device, told)

    def _patch(self, device: Entry, body: Entry) -> None:
        if "status" in body:
            self.set_status(device["name"], body["status"])
        if not self.drops_fields:
            device["custom_fields"] = {**device["custom_fields"], **body.get("custom_fields", {})}
        device["last_updated"] += "+"

    def _list(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        found = [each for each in self.lists[path] if self._fits(each, query)]
        limit = min(int(query.get("limit", ["50"])[0]), 1000)
        if "start" in query:
            start = int(query["start"][0])
            after = sorted((each for each in found if each["id"] >= start), key=lambda e: e["id"])
            return self._json(200, {"count": None, "next": None, "results": after[:limit]})
        offset = int(query.get("offset", ["0"])[0])
        page = {"count": len(found), "next": "http://other.example/", "results": None}
        return self._json(200, {**page, "results": found[offset : offset + limit]})

    def _fits(self, entry: Entry, query: dict[str, list[str]]) -> bool:
        for key, values in query.items():
            if key in self.ignored:
                continue
            if key == "status":
                word = entry["status"].get("value") or entry["status"].get("name")
                if word not in values:
                    return False
            elif key in {"tag", "tags"}:
                tags = {tag.get("slug") or tag["name"] for tag in entry["tags"]}
                if not tags >= set(values):
                    return False
            elif key in {"name", "slug"} and entry.get(key) not in values:
                return False
        return True

    def _json(
        self, status: int, body: object, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        content = json.dumps(body).encode()
        told = {"Content-Type": "application/json", "API-Version": self.version_header}
        return status, told | (headers or {}), content


@contextmanager
def serving(product: Product) -> Iterator[str]:
    """Serve a product on loopback; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            headers = dict(self.headers.items())
            status, told, content = product.answer(self.command, self.path, body, headers)
            self.send_response(status)
            for key, value in told.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PATCH = do_POST = _handle  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
