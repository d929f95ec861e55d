"""Every noun whose things are found by name: add, list, show, set and remove do the same things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from operations.shell import Shell
from store.world import maker

from bootz.cli.inventory.profile import command as profile
from bootz.cli.inventory.vendor import command as vendor
from bootz.cli.site.user import command as user
from bootz.cli.site.webhook import command as webhook
from bootz.keystore.files import write_certificates

FIVE = {"add", "list", "show", "set", "remove"}
NOUNS = {
    "vendor": (("--ien", "9"), ("--ien", "10"), ("ien", "9", "10")),
    "profile": (("--description", "a"), ("--description", "b"), ("description", "a", "b")),
    "user": (("--role", "viewer"), ("--role", "operator"), ("role", "viewer", "operator")),
    "webhook": (
        ("--url", "https://ops.example/a"),
        ("--url", "https://ops.example/b"),
        ("url", "https://ops.example/a", "https://ops.example/b"),
    ),
}
"""Of each noun the options of add and of set, and the field that they give, before and after."""


@pytest.mark.parametrize("noun", NOUNS)
def test_what_is_added_is_listed_shown_changed_and_removed(
    shell: Shell, tmp_path: Path, noun: str
) -> None:
    given, changed, (field, before, after) = NOUNS[noun]
    if noun == "vendor":
        write_certificates(tmp_path / "other.pem", [maker().ca])
        given = (*given, "--ca", str(tmp_path / "other.pem"))

    def listed() -> dict[str, Any]:
        return {each["name"]: each for each in shell.json(noun, "list")}

    others = listed()
    assert shell.json(noun, "add", "x1", *given)[field] == before
    assert set(listed()) == {*others, "x1"}
    assert shell.json(noun, "show", "x1")[field] == before
    assert shell.json(noun, "set", "x1", *changed)[field] == after
    assert shell.json(noun, "show", "x1")[field] == after
    shell.refused(noun, "add", "x1", *given)
    assert shell.json(noun, "show", "x1")[field] == after
    shell.ok(noun, "remove", "x1")
    assert listed() == others
    for verb in ("show", "set", "remove"):
        options = changed if verb == "set" else ()
        assert shell.refused(noun, verb, "x1", *options).endswith(("not-found", "unknown"))


def test_each_of_these_nouns_has_the_five_verbs() -> None:
    for noun in (profile, user, vendor, webhook):
        assert set(noun.commands) >= FIVE
