"""A client that openapi-python-client makes of the API's description does the README's walk."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from client.conftest import Door
from store.world import maker, owner

from bootz.server.api.auth.roles import OperatorRole
from bootz.trust.certificates import pem_from_der

DOCUMENT = Path(__file__).resolve().parents[2] / "src/bootz/server/api/openapi.json"
IMAGE = b"BOOTZ-IMAGE demo-os 2.0\n"


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client's package on the path, fresh from the description."""
    settings = tmp_path / "generator.yml"
    settings.write_text("post_hooks: []\npackage_name_override: bootz_api\n")
    subprocess.run(
        [
            str(Path(sys.executable).with_name("openapi-python-client")),
            *("generate", "--path", str(DOCUMENT), "--meta", "none"),
            *("--output-path", str(tmp_path / "bootz_api"), "--config", str(settings)),
        ],
        check=True,
        capture_output=True,
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_router_is_readied_from_its_vendors_ca_to_a_go(door: Door, generated: Path) -> None:
    models = import_module("bootz_api.models")
    types = import_module("bootz_api.types")
    client_module = import_module("bootz_api.client")
    client = client_module.AuthenticatedClient(
        base_url=door.url, token=door.world.tokens[OperatorRole.SECURITY]
    )

    def ask(operation: str, *words: Any, **options: Any) -> Any:
        function = import_module(f"bootz_api.api.{operation}").sync_detailed
        answer = function(*words, client=client, **options)
        assert answer.status_code < 300, answer.content
        return answer.parsed

    other = maker("Bootz Labs")
    ask(
        "vendors.vendor_add",
        body=models.VendorView(name="Bootz Labs", idevid_ca=pem_from_der([other.ca]).decode()),
    )
    upload = ask(
        "images.image_upload_begin",
        body=models.ImageUploadBody(
            name="demo-os",
            version="2.0",
            file_name="demo-os.img",
            size=len(IMAGE),
            sha256=hashlib.sha256(IMAGE).hexdigest(),
        ),
    )
    done = ask("images.image_upload_send", upload.id, body=types.File(payload=io.BytesIO(IMAGE)))
    assert done.image.stored
    voucher = other.voucher("LAB0001", owner().der)
    document = {
        "profiles": [
            {
                "name": "access",
                "image": {"name": "demo-os", "version": "2.0"},
                "vendor_config": "hostname {{ chassis.hostname }}\nbanner {{ variables.site }}\n",
                "variables": {"site": "Berlin"},
            }
        ],
        "chassis": [
            {
                "vendor": "Bootz Labs",
                "serial_number": "LAB0001",
                "hostname": "edge-1",
                "profile": "access",
            }
        ],
        "vouchers": [
            {"vendor": "Bootz Labs", "voucher": base64.b64encode(voucher).decode("ascii")}
        ],
    }
    body = models.ImportRunJsonBody.from_dict(document)
    wanted = {"body": body, "content_type": "application/json"}
    assert ask("imports.import_run", **wanted, dry_run=True).added == 3
    assert ask("imports.import_run", **wanted).added == 3

    (chassis,) = ask("chassis.chassis_list", q="LAB0001").results
    shown = ask("chassis.chassis_render", chassis.id, dialect=models.DialectName("current"))
    (response,) = shown.payload.to_dict()["responses"]
    assert "hostname edge-1\nbanner Berlin" in response["boot_config"]["vendor_config"]
    found = ask("chassis.chassis_check", chassis.id)
    assert found.go, found.to_dict()
    held = ask("chassis.chassis_hold", body=models.HoldBody(ids=[chassis.id]))
    assert held.changed == ["LAB0001"]
    assert not ask("chassis.chassis_check", chassis.id).go
    assert ask("chassis.chassis_release", body=models.ChassisKeys(ids=[chassis.id])).changed
    assert ask("status.status_show").chassis.to_dict()["expected"] == 1
    client.get_httpx_client().close()
