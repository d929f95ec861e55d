"""A login by a real provider: Canaille, in an environment of its own (`make .venv/oidc.stamp`).

docs/operator-ids.md: O23.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
import pytest
from conftest import OIDC_PYTHON
from oidc.conftest import BASE, ROLES, door_of

from bootz.config.operator import OidcSettings

CALLBACK = f"{BASE}/api/v1/login/oidc/callback"


@pytest.fixture
def issuer() -> Iterator[str]:
    program = Path(__file__).with_name("canaille_provider.py")
    process = subprocess.Popen(
        [str(OIDC_PYTHON), str(program), CALLBACK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def answered_by_ann(url: str) -> dict[str, str]:
    """Log in at the provider as a person does; return the query of the way back."""
    with httpx2.Client(timeout=60) as person:
        answer = person.get(url)
        for _ in range(12):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if url.startswith(CALLBACK):
                    return dict(parse_qsl(urlsplit(url).query))
                answer = person.get(url)
                continue
            assert answer.status_code == 200, answer.text[:2000]
            form: dict[str, Any] = {}
            for name in re.findall(r'<input[^>]*name="(\w+)"', answer.text):
                form[name] = {"login": "ann", "password": "correct horse battery staple"}.get(
                    name, ""
                )
            form["answer"] = "accept"
            answer = person.post(url, data=form)
    raise AssertionError("the provider did not send the browser back")


@pytest.mark.oidc
def test_a_person_logs_in_by_a_real_provider(issuer: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of the test\n")
    secret.chmod(0o600)
    settings = OidcSettings(
        issuer=issuer,
        client_id="bootz",
        client_secret_file=secret,
        base_url=BASE,
        roles=ROLES,  # type: ignore[arg-type]
        scopes=("openid", "profile", "email", "groups"),
    )
    with door_of(tmp_path, settings) as site:
        answer = site.end(answered_by_ann(site.begin()))
        assert answer.status_code == 200, answer.text
        assert site.me()["role"] == "operator"
        (account,) = site.accounts()
        assert account.name == "ann@example.net"
        assert str(account.subject).startswith(f"{issuer} ")
