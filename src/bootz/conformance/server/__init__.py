"""The suite for servers: well-behaved and hostile devices, through every dialect and flow.

``material`` makes the devices and what a server must have on record of them, ``player`` speaks
for them, ``behaved`` and ``hostile`` are the cases, ``suite`` plays and judges them.
Source: docs/protocol/wire.md; docs/protocol/tpm.md; docs/dialects.md.
"""
