"""The router: an emulated chassis whose hardware is a folder; a stranger to every server."""
