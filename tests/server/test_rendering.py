"""What templates can do, what they cannot, and how their failures are told."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.errors import BootzError, ConfigError
from bootz.server.rendering.documents import render_json_text, render_object, render_text
from bootz.server.rendering.kept import WeighedCache
from bootz.server.rendering.templates import Templates

VALUES = {
    "variables": {"site": "ams", "items": [1, 2], "secret": "hunter2"},
    "chassis": {"hostname": "r1"},
}


def render(source: str, **values: Any) -> str:
    return Templates().render(source, {**VALUES, **values}, "vendor_config")


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("plain\r\ntext\n", "plain\r\ntext\n"),
        ("hostname {{ chassis.hostname }}\n", "hostname r1\n"),
        (
            "{% for n in range(3) %}\n{{ n }} {{ loop.last }}\n{% endfor %}",
            "0 False\n1 False\n2 True\n",
        ),
        ("{{ variables.items | join(',') }}", "1,2"),
        ("{{ 'a' ~ 1 ~ variables.site }}", "a1ams"),
        (
            "{{ '%03d' | format(7) }} {{ 2 ** 10 }} {{ 'ab' * 2 }} {{ [1] + [2] }}",
            "007 1024 abab [1, 2]",
        ),
        (
            "{{ 'a-b'.replace('-', '_') }}{{ 'x' | center(5) }}{{ ','.join(['a', 'b']) }}",
            "a_b  x  a,b",
        ),
        (
            (
                "{% set ns = namespace(n=0) %}"
                "{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}"
            ),
            "3",
        ),
        ("{% macro port(n) %}p{{ n }}{% endmacro %}{{ port(1) }}", "p1"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
    ],
)
def test_templates_say_what_an_operator_needs(source: str, output: str) -> None:
    assert render(source) == output


@pytest.mark.parametrize(
    ("source", "where", "detail"),
    [
        ("a\n{{ nowhere }}\n", "vendor_config line 2", "'nowhere' is undefined"),
        ("{{ variables.absent }}", "vendor_config line 1", "no attribute 'absent'"),
        ("a\n\n{% if %}\n", "vendor_config line 3", ""),
        ("{{ 1 / 0 }}", "vendor_config line 1", "fails with ZeroDivisionError"),
        ("{{ variables.secret | int('x') / 1 }}", "vendor_config line 1", "fails with"),
        ("{% include 'other' %}", "vendor_config line 1", "fails with"),
        ("{{ chassis | random }}", "vendor_config line 1", "No filter named 'random'"),
    ],
)
def test_a_failure_names_key_and_line(source: str, where: str, detail: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render(source)
    assert caught.value.reason == "template-failed"
    assert caught.value.where == where
    assert detail in caught.value.detail


def test_a_failure_does_not_quote_what_a_variable_holds() -> None:
    with pytest.raises(ConfigError) as caught:
        render("{{ variables.secret + 1 }}")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ chassis.__init__.__globals__ }}",
        "{{ variables.update({'site': 'x'}) }}",
        "{{ variables['items'].append(3) }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ self._TemplateReference__context }}",
        "{% import 'os' as os %}",
        "{{ lipsum() }}",
    ],
)
def test_the_sandbox_lets_nothing_out(source: str) -> None:
    with pytest.raises(ConfigError):
        render(source)
    assert VALUES["variables"] == {"site": "ams", "items": [1, 2], "secret": "hunter2"}


def loops(*over: str) -> str:
    opening = "".join(f"{{% for i in {each} %}}" for each in over)
    return opening + "{% endfor %}" * len(over)


def growing(start: str, step: str) -> str:
    return (
        f"{{% set ns = namespace({start}) %}}"
        f"{{% for i in range(99) %}}{{% set {step} %}}{{% endfor %}}"
    )


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        loops("big", "big", "big"),
        loops(*["big | map('string')"] * 3),
        "{{ 'a' * 10000000 }}",
        "{{ 10000000 * 'a' }}",
        "{{ [0] * 10000000 }}",
        "{{ 9 ** 9999999 }}",
        growing("n=3", "ns.n = ns.n * ns.n"),
        growing("t='ab'", "ns.t = ns.t ~ ns.t"),
        growing("t='ab'", "ns.t = ns.t + ns.t"),
        "{{ '%99999999d' | format(1) }}",
        "{{ '%*d' | format(99999999, 1) }}",
        "{{ '%99999999d' % 1 }}",
        "{{ 'a' | center(99999999) }}",
        "{{ 'a'.ljust(99999999) }}",
        "{{ 'a'.zfill(99999999) }}",
        "{{ 'a\n' | indent(99999999) }}",
        "{{ ('a' * 4000) | replace('a', 'b' * 4000) }}",
        "{{ ('a' * 4000).replace('a', 'b' * 4000) }}",
        "{{ big | join('b' * 100000) }}",
        "{{ ('b' * 100000).join(big | map('string')) }}",
        "{% for i in range(1000) %}{{ 'a' * 100000 }}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_no_template_eats_the_server(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render(source, big=list(range(1000)))
    assert caught.value.reason in {"template-too-costly", "template-failed"}


@given(st.text(alphabet="{}%# abc|.()'\"\n0+*~[]_-", max_size=60))
def test_whatever_stands_in_a_template_it_renders_or_is_a_clear_error(source: str) -> None:
    with suppress(ConfigError):
        render(source)


def test_a_structured_key_is_an_object_or_a_template_of_one() -> None:
    wanted = {"a": ["{{ chassis.hostname }}", 1, True, None], "b": {"c": "x"}}
    made = {"a": ["r1", 1, True, None], "b": {"c": "x"}}
    templates = Templates()
    assert render_object(templates, wanted, VALUES, "metadata") == made
    assert render_object(templates, json.dumps(wanted), VALUES, "metadata") == made
    text = "a: ['{{ chassis.hostname }}', 1, true, null]\nb: {c: x}\n"
    assert render_object(templates, text, VALUES, "metadata") == made
    assert render_object(templates, None, VALUES, "metadata") is None
    assert render_object(templates, " \n", VALUES, "metadata") == {}
    dated = "day: 2024-01-02\nstate: on\n"
    assert render_object(templates, dated, VALUES, "m") == {"day": "2024-01-02", "state": "on"}


@pytest.mark.parametrize(
    ("output", "where"),
    [
        ("- a\n", "metadata"),
        ("text", "metadata"),
        ("a: 1\na: 2\n", "metadata, output line 2"),
        ('{"a": 1, "a": 2}', "metadata, output line 1"),
        ("a: &x 1\nb: *x\n", "metadata, output line 1"),
        ("a: [\n", "metadata, output line 2"),
        ("[a]: b\n", "metadata, output line 1"),
        ("a: !!python/object:os.system x\n", "metadata, output line 1"),
        ("a: " + "[" * 2000, "metadata, output line 1"),
    ],
)
def test_output_that_is_no_object_is_told_with_its_line(output: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render_object(Templates(), output, VALUES, "metadata")
    assert caught.value.reason == "rendered-invalid"
    assert caught.value.where == where


def test_openconfig_stays_as_it_was_written() -> None:
    templates = Templates()
    text = '{ "a" :  "{{ chassis.hostname }}" }'
    assert render_json_text(templates, text, VALUES, "oc") == b'{ "a" :  "r1" }'
    assert render_json_text(templates, "a: {{ chassis.hostname }}", VALUES, "oc") == b'{"a":"r1"}'
    assert render_json_text(templates, {"a": "\u00e9"}, VALUES, "oc") == '{"a":"\u00e9"}'.encode()
    assert render_json_text(templates, "", VALUES, "oc") == b""
    assert render_json_text(templates, None, VALUES, "oc") == b""
    with pytest.raises(ConfigError):
        render_json_text(templates, "[1]", VALUES, "oc")


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(BootzError) as caught:
        render_text(Templates(), "\ud800", VALUES, "vendor_config")
    assert caught.value.reason == "rendered-invalid"


def test_what_is_kept_has_a_bound() -> None:
    kept: WeighedCache[str, int] = WeighedCache(10)
    kept.put("a", 1, 5)
    kept.put("b", 2, 5)
    assert kept.get("a") == 1
    kept.put("c", 3, 5)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)
    kept.put("a", 4, 11)
    assert kept.get("a") is None
    kept.put("d", 5, 5)
    assert (kept.get("c"), kept.get("d")) == (3, 5)
    kept.clear()
    kept.put("e", 6, 10)
    assert kept.get("e") == 6
