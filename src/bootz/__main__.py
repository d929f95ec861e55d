"""``python -m bootz``: the command ``bootz``."""

from bootz.cli.main import main

main()
