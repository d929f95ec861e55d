"""Rendering of one text: compiled once, and every failure told by key and line.

An error never quotes what a variable holds: it may be a secret.
"""

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from jinja2 import Template, TemplateSyntaxError, UndefinedError

from bootz.errors import ConfigError
from bootz.server.rendering.kept import WeighedCache
from bootz.server.rendering.sandbox import TemplateEnvironment, TooCostlyError

_KEPT_CHARACTERS: Final = 16 * 1024 * 1024
_FILE_NAME: Final = "<template>"
_OBJECT: Final = re.compile(r"'[\w.]+ object'")
_QUOTED: Final = re.compile(r"'([^']*)'?")
_MAX_WORDS: Final = 300


class Templates:
    """Compiles and renders. Belongs to one thread."""

    def __init__(self) -> None:
        self._environment = TemplateEnvironment()
        self._compiled: WeighedCache[str, Template] = WeighedCache(_KEPT_CHARACTERS)

    def render(self, source: str, values: Mapping[str, object], key: str) -> str:
        """Return the output of a template.

        Args:
            source: the template.
            values: what it can name.
            key: the profile's key, for errors.

        Raises:
            ConfigError: ``template-failed`` or ``template-too-costly``; names key and line.
        """
        if "{" not in source:
            return source
        try:
            return self._environment.render_bounded(self._compile(source), values)
        except TooCostlyError as error:
            raise ConfigError("template-too-costly", str(error), where=key) from None
        except TemplateSyntaxError as error:
            raise ConfigError(
                "template-failed", _bounded(error.message), where=f"{key} line {error.lineno}"
            ) from None
        except UndefinedError as error:
            line = _line(error.__traceback__)
            raise ConfigError(
                "template-failed", _of_source(error.message, source), where=key + line
            ) from None
        except RecursionError:
            raise ConfigError("template-too-costly", "is nested too deeply", where=key) from None
        except Exception as error:
            # A template can provoke anything, and the words of most of it quote values.
            line = _line(error.__traceback__)
            raise ConfigError(
                "template-failed", f"fails with {type(error).__name__}", where=key + line
            ) from None

    def _compile(self, source: str) -> Template:
        compiled = self._compiled.get(source)
        if compiled is None:
            compiled = self._environment.from_string(source)
            # Walked twice for each output, which a chain of maps makes slow.
            compiled.globals = dict(compiled.globals)
            self._compiled.put(source, compiled, len(source) + 1024)
        return compiled


def _line(traceback: TracebackType | None) -> str:
    """Return where in the template an error came from, as jinja2 rewrote the traceback."""
    line = ""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE_NAME:
            line = f" line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return line


def _of_source(words: str | None, source: str) -> str:
    """Return what an error says if it names only what is in the template itself.

    A name may have been computed: ``variables[variables.name]`` would show a variable's value.
    """
    told = _OBJECT.sub("it", words or "")
    if all(name in source for name in _QUOTED.findall(told)):
        return _bounded(words)
    return "names something that is not there"


def _bounded(words: str | None) -> str:
    return (words or "is wrong")[:_MAX_WORDS]
