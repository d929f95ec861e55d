"""``bootz.yaml``: read strictly, written so that it explains itself."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bootz.config.file import MAX_CONFIG_BYTES
from bootz.config.reading import load_config, parse_config, write_config
from bootz.config.site import SiteConfig
from bootz.config.values import Endpoint, parse_endpoint
from bootz.errors import ConfigError

CHOSEN = {
    "organization": "Müller: Netze & Söhne #1",
    "listen": ["0.0.0.0:15006", "[::1]:0"],
    "advertised": ["boot.example.net", "2001:db8::1"],
    "database": {"url": "postgresql://bootz@db/bootz", "password_file": "/etc/secret"},
    "tls": {"validity_days": 10, "renew_before_days": 3},
    "images": {"base_url": "https://images.example/depot"},
    "drain_timeout": 5.0,
}


def test_what_is_written_is_read_again() -> None:
    config = SiteConfig.model_validate(CHOSEN)
    assert parse_config(write_config(config)) == config
    assert parse_config(write_config(SiteConfig())) == SiteConfig()


def test_every_key_is_explained_and_only_what_was_chosen_is_in_force() -> None:
    text = write_config(SiteConfig.model_validate({"organization": "X"})).decode()
    for name in SiteConfig.model_fields:
        assert f"{name}:" in text
    assert yaml.safe_load(text) == {"organization": "X"}
    # A line whose mark is taken away is a setting, at its default.
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        if line.startswith("# ") and ": " in bare and bare[0].islower():
            assert parse_config(bare.encode()) == SiteConfig()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"organisation: x", "no such key"),
        (b"organization: ''", "organization"),
        (b"organization: a\norganization: b", "line 2: organization appears twice"),
        (b"listen: []", "listen"),
        (b"listen: ['1.2.3.4']", "ADDRESS:PORT"),
        (b"listen: ['::1:80']", "brackets"),
        (b"listen: ['1.2.3:80']", "neither a DNS name"),
        (b"listen: ['h:99999']", "ADDRESS:PORT"),
        (b"advertised: ['a b']", "advertised"),
        (b"images: {base_url: 'ftp://x'}", "base_url"),
        (b"images: {base_url: 'http://x/?q=1'}", "base_url"),
        (b"tls: {validity_days: 10, renew_before_days: 10}", "smaller"),
        (b"limits: {max_message_bytes: 1}", "max_message_bytes"),
        (b"drain_timeout: .nan", "drain_timeout"),
        (b"- a list", "list of keys"),
        (b"a: [", "line"),
        (b"\xff\xfe\x00", "site-config-invalid"),
        (b"? [1]\n: 2", "site-config-invalid"),
        (b"? {a: 1}\n: 2", "site-config-invalid"),
        (b"[" * 5000, "site-config-invalid"),
        (b"a: &a [*a]", "site-config-invalid"),
        (b"x" * (MAX_CONFIG_BYTES + 1), "1 MiB"),
    ],
)
def test_what_does_not_fit_is_named(content: bytes, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(content, where="bootz.yaml")
    assert words in f"{caught.value} {caught.value.reason}"


@pytest.mark.parametrize(
    "content",
    [
        *(b"listen: ['h:99999']", b"images: {http: ['a']}", b"listen: []"),
        *(b"workers: 0", b"workers: 257", b"workers: all", b"workers: true", b"workers: 1.5"),
    ],
)
def test_one_fault_is_told_once(content: bytes) -> None:
    """A list whose only item is wrong is not also told to be too short."""
    with pytest.raises(ConfigError) as caught:
        parse_config(content, where="bootz.yaml")
    assert ";" not in caught.value.detail, caught.value.detail


@pytest.mark.parametrize(
    ("content", "workers"),
    [(b"", 1), (b"workers: 4", 4), (b"workers: '4'", 4), (b"workers: auto", "auto")],
)
def test_workers_are_a_number_or_auto(content: bytes, workers: int | str) -> None:
    assert parse_config(content).workers == workers


def test_a_value_is_never_quoted() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(b"password: hunter2\ndatabase: {password: hunter2}\ndrain_timeout: hunter2")
    assert "hunter2" not in repr(caught.value)
    assert str(caught.value).count("no such key") == 2


@given(st.binary(max_size=80) | st.text(alphabet="a:?-[]{}&*!|> \n#'\"", max_size=40))
def test_any_content_is_settings_or_a_clear_error(content: bytes | str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_config(data), SiteConfig)


@given(st.text(max_size=30))
def test_an_endpoint_is_read_as_it_is_written(text: str) -> None:
    with contextlib.suppress(ValueError):
        endpoint = parse_endpoint(text)
        assert parse_endpoint(str(endpoint)) == endpoint
    assert parse_endpoint("[2001:db8::1]:7") == Endpoint("2001:db8::1", 7)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "bootz.yaml")
    assert str(tmp_path) in str(caught.value)
