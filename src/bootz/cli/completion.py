"""``bootz completion``: what a shell needs to complete commands, options and names."""

from __future__ import annotations

import re
from typing import Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
)

from bootz.cli.base import COMPLETION_VARIABLE, verb
from bootz.cli.output import write_text

SHELLS: Final = ("bash", "zsh", "fish")

_BASH: Final = """\
%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(IFS=$'\\n'; COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
        %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_SPECIAL: Final = re.compile(r"([^\w@%+=:,./-])", re.ASCII)
"""What bash would take for more than a letter of a word."""


@add_completion_class
class QuotingBash(BashComplete):
    """Offers names as bash must get them typed: a space is part of the name of many a vendor."""

    source_template = _BASH

    def format_completion(self, item: CompletionItem) -> str:
        """Return one line for the script."""
        value = _SPECIAL.sub(r"\\\1", item.value) if item.type == "plain" else item.value
        return f"{item.type},{value}"


@verb("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, /, shell: str) -> None:
    """Print a script that lets a shell complete commands, options, choices, files and names.

    \b
    bash:  eval "$(bootz completion bash)"      in ~/.bashrc
    zsh:   eval "$(bootz completion zsh)"       in ~/.zshrc, after compinit
    fish:  bootz completion fish | source       in ~/.config/fish/config.fish
    """  # noqa: D301 -- the sign by which click leaves lines as they are
    kind = get_completion_class(shell)
    if kind is None:
        raise RuntimeError(f"click completes no {shell}")
    root = context.find_root()
    script = kind(root.command, {}, str(root.info_name), COMPLETION_VARIABLE).source()
    write_text(script.rstrip("\n"))
