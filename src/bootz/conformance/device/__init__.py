"""The suite for routers: a Bootz server with a script, and a judge of what the router did.

``cases`` says what is given and what must follow, ``answers`` makes it, ``party`` serves it and
keeps what it sees, ``adapter`` is how the suite moves and reads the router, ``judge`` compares.
Source: docs/protocol/workflow.md#acceptance.
"""
