"""The syntax of a document's templates, before any router asks for their output."""

from collections.abc import Iterator

from jinja2 import TemplateSyntaxError

from bootz.errors import ConfigError
from bootz.server.operations.profile_document import Content
from bootz.server.rendering.sandbox import TemplateEnvironment

_TEMPLATES = (
    *("script", "vendor_config", "dynamic_vendor_config", "oc_config", "dynamic_oc_config"),
    *("bootloader_config", "metadata", "credentials", "pathz", "authz"),
)


def check_templates(content: Content, *, where: str) -> None:
    """Check that every text that is a template can be compiled.

    Raises:
        ConfigError: ``template-failed``; names keys and lines, never their text.
    """
    texts = [(key, text) for key, text in _texts(content) if "{" in text]
    if not texts:
        return
    environment = TemplateEnvironment()
    faults: list[str] = []
    for key, text in texts:
        try:
            environment.parse(text)
        except TemplateSyntaxError as error:
            faults.append(f"{key} line {error.lineno}: {(error.message or 'syntax')[:120]}")
        except RecursionError:
            faults.append(f"{key}: is nested too deeply")
    if faults:
        raise ConfigError("template-failed", "; ".join(faults), where=where)


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    if not content.model_fields_set:
        return
    for key in _TEMPLATES:
        yield from _strings(getattr(content, key), key)
    for number, entry in enumerate(content.certz_profiles or ()):
        yield from _strings(entry.certz, f"certz_profiles.{number}.certz")


def _strings(value: object, key: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield key, value
        case dict():
            for name, each in value.items():
                yield from _strings(each, f"{key}.{name}")
        case list():
            for number, each in enumerate(value):
                yield from _strings(each, f"{key}.{number}")
        case _:
            pass
