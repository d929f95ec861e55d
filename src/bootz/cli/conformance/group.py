"""``bootz conformance``: black-box suites against servers and routers, ours or others'."""

from bootz.cli.base import noun
from bootz.cli.conformance import device, server

command = noun("conformance", "Black-box test suites for servers and routers.")
command.add_command(device.command)
command.add_command(server.command)
