"""Writes models and calls of ``bootz.client`` out of openapi.json; with --check, compares."""

import json
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "src/bootz/server/api/openapi.json"
TARGET: Final = ROOT / "src/bootz/client/generated"

LEFT_OUT: Final = frozenset({"event_stream"})
"""What the client offers in another way."""
SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
DROPPED: Final = frozenset({"fields"})
"""Parameters with which an answer would not have the form of its model."""


def class_name(name: str) -> str:
    """Return what a schema is called in Python."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def type_of(schema: dict[str, Any], models: str = "") -> str:
    """Return the annotation of a schema; models are prefixed."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return "JsonValue" if name == "JsonValue" else f"{models}{class_name(name)}"
    if "anyOf" in schema:
        options = [type_of(each, models) for each in schema["anyOf"]]
        free = {"dict[str, Any]"}
        if len(options) == 2 and free & set(options) and "None" not in options:
            options = [each for each in options if each not in free]
        return " | ".join(dict.fromkeys(options))
    if "enum" in schema:
        return f"Literal[{', '.join(repr(each) for each in schema['enum'])}]"
    match schema.get("type"):
        case "array":
            return f"list[{type_of(schema.get('items', {}), models)}]"
        case "object":
            inner = schema.get("additionalProperties", True)
            return f"dict[str, {type_of(inner, models) if isinstance(inner, dict) else 'Any'}]"
        case "null":
            return "None"
        case "string" if schema.get("format") == "date-time":
            return "AwareDatetime"
        case str() as kind:
            return SCALARS[kind]
        case _:
            return "JsonValue"


def doc(text: str, indent: str) -> str:
    """Return a docstring."""
    words = text.replace("\\", "\\\\").strip() or "See openapi.json."
    return f'{indent}"""{words}"""\n'


def model(name: str, schema: dict[str, Any]) -> str:
    """Return the class of a schema."""
    own = class_name(name)
    if "enum" in schema:
        lines = [f"class {own}(StrEnum):\n", doc(schema.get("description", ""), "    "), "\n"]
        for value in schema["enum"]:
            member = re.sub(r"\W", "_", value).upper()
            member = f"V{member[1:]}" if member.startswith("V") and value[1:2].isdigit() else member
            member = f"RELEASE_{member}" if member[:1].isdigit() else member
            lines.append(f"    {member} = {value!r}\n")
        return "".join(lines)
    required = set(schema.get("required", ()))
    lines = [f"class {own}(ApiModel):\n", doc(schema.get("description", ""), "    "), "\n"]
    for field, told in schema.get("properties", {}).items():
        annotation = type_of(told)
        if field in required:
            default = ""
        elif "default" in told and not isinstance(told["default"], dict | list):
            default = f" = {told['default']!r}"
            if "$ref" in told:
                default = f" = {annotation}({told['default']!r})"
        elif "default" in told:
            default = f" = Field(default_factory=lambda: {told['default']!r})"
        else:
            annotation = annotation if "None" in annotation else f"{annotation} | None"
            default = " = None"
        lines.append(f"    {field}: {annotation}{default}\n")
        if words := told.get("description"):
            lines.append(doc(words, "    "))
    return "".join(lines)


def call(path: str, method: str, told: dict[str, Any]) -> str:
    """Return the function of an operation."""
    positional: list[str] = []
    keyed: list[str] = []
    query: list[str] = []
    headers: list[str] = []
    for each in told.get("parameters", ()):
        if each["in"] == "cookie" or each["name"] in DROPPED:
            continue
        name = re.sub(r"\W", "_", each["name"])
        name = f"{name}_" if keyword.iskeyword(name) else name
        annotation = type_of(each["schema"], "models.")
        if each["in"] == "path":
            positional.append(f"{name}: {annotation}")
            path = path.replace(f"{{{each['name']}}}", f"{{quoted({name})}}")
            continue
        if not each.get("required"):
            annotation = annotation if "None" in annotation else f"{annotation} | None"
            keyed.append(f"{name}: {annotation} = None")
        else:
            keyed.append(f"{name}: {annotation}")
        (query if each["in"] == "query" else headers).append(f"{each['name']!r}: {name}")
    body = ""
    content = told.get("requestBody", {}).get("content", {})
    if "application/json" in content and "$ref" in content["application/json"]["schema"]:
        positional.append(f"body: {type_of(content['application/json']['schema'], 'models.')}")
        body = "json=written(body),"
    elif content:
        positional.append("content: bytes")
        body = "content=content,"
    answer = next(v for k, v in told["responses"].items() if k.startswith("2"))
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    result = type_of(schema, "models.") if schema and "$ref" in schema else "None"
    if told["operationId"] == "export_run":
        result = "str"
    star = ["*", *keyed] if keyed else []
    words = (told.get("description") or told.get("summary", "")).strip()
    parts = [
        f"def {told['operationId']}({', '.join([*positional, *star])}) -> ApiCall[{result}]:\n",
        doc(f"{words}\n\n    Needs the role {told.get('x-bootz-role', 'of none')}.\n    ", "    "),
        f"    return ApiCall({result}, {method.upper()!r}, f{path!r},",
        f"query={{{', '.join(query)}}}," if query else "",
        f"headers={{{', '.join(headers)}}}," if headers else "",
        f"{body})\n",
    ]
    return "".join(parts)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return each operation that has a function."""
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if told["operationId"] not in LEFT_OUT:
                yield path, method, told


def formatted(text: str, name: str) -> str:
    """Return a module as ruff writes it; ``name`` is its file's."""
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    for command in (["check", "--fix", "-q", "--exit-zero"], ["format", "-q"]):
        done = subprocess.run(
            [*ruff, *command, "--stdin-filename", str(TARGET / name), "-"],
            cwd=ROOT,
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        text = done.stdout
    return text


def written() -> dict[str, str]:
    """Return the modules by name."""
    document = json.loads(DOCUMENT.read_text())
    schemas = {
        name: schema
        for name, schema in sorted(document["components"]["schemas"].items())
        if name != "JsonValue"
    }
    models = (
        '"""The models of the API; written by tools/write_client.py, never by hand."""\n\n'
        "from __future__ import annotations\n\nfrom enum import StrEnum\n"
        "from typing import Any, Literal\n\n"
        "from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue\n\n\n"
        "class ApiModel(BaseModel):\n"
        '    """What all of them have: what a newer server adds is kept, not refused."""\n\n'
        '    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)\n\n\n'
        + "\n\n".join(model(name, schema) for name, schema in schemas.items())
    )
    calls = (
        '"""The calls of the API; written by tools/write_client.py, never by hand."""\n\n'
        "from typing import Literal\n\nfrom pydantic import AwareDatetime\n\n"
        "from bootz.client.call import ApiCall, quoted, written\n"
        "from bootz.client.generated import models\n\n\n"
        + "\n\n".join(call(*each) for each in operations(document))
    )
    modules = {"models.py": models, "calls.py": calls}
    return {name: formatted(text, name) for name, text in modules.items()}


def main() -> int:
    """Write or check; 1 where a file is not as the description is."""
    stale = [
        name
        for name, text in written().items()
        if not (TARGET / name).exists() or (TARGET / name).read_text() != text
    ]
    if "--check" in sys.argv:
        if stale:
            print(f"{', '.join(stale)}: not what openapi.json says; run `make openapi`")
        return 1 if stale else 0
    for name, text in written().items():
        (TARGET / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
