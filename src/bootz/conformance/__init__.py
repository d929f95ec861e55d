"""Black-box suites: against any router, against any Bootz server.

A suite plays the other party. It never imports the side that it judges, so that it agrees with
no defect of this project: the suite for servers plays this project's router, which is a stranger
to every server; the suite for routers plays a server from its own script.
"""
