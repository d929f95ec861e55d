"""The suite for servers: well-behaved and hostile devices, through every dialect and flow.

``material`` makes the devices and what a server must have on record of them, ``player`` speaks
for them, ``behaved`` and ``hostile`` are the cases, ``suite`` plays and judges them.
Source: wire.md section 4; tpm-challenges.md sections 1 to 5.
"""
