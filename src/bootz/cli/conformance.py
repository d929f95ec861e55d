"""``bootz conformance``: black-box suites against servers and routers, ours or others'."""

from bootz.cli import conformance_device, conformance_server
from bootz.cli.base import noun

command = noun("conformance", "Black-box suites against servers and routers.")
command.add_command(conformance_device.command)
command.add_command(conformance_server.command)
