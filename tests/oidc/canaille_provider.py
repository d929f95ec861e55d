"""A real provider, Canaille, with one person and one client. Run by its own interpreter.

Prints its issuer, and serves until its stdin ends.
"""

import datetime
import logging
import os
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc import jwk

logging.disable(logging.WARNING)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_words):
        pass


def main(redirect_uri):
    server = make_server("127.0.0.1", 0, None, handler_class=Quiet)  # type: ignore[call-overload]
    issuer = f"http://127.0.0.1:{server.server_port}"
    key = jwk.generate_key("RSA", 2048, {"kid": "one"})
    app = create_app(
        {
            "SECRET_KEY": "of-a-test-alone",
            "SERVER_NAME": f"127.0.0.1:{server.server_port}",
            "PREFERRED_URL_SCHEME": "http",
            "WTF_CSRF_ENABLED": False,
            "SESSION_COOKIE_SECURE": False,
            "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False, "SMTP": None},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)]},
        }
    )
    with app.app_context():
        backend = Backend.instance
        ann = models.User(
            user_name="ann",
            formatted_name="Ann",
            family_name="Ann",
            emails=["ann@example.net"],
            password="correct horse battery staple",
        )
        backend.save(ann)
        backend.save(models.Group(display_name="netops", members=[ann]))
        client = models.Client(
            client_id="bootz",
            client_secret="a secret of the test",
            client_name="Bootz",
            client_id_issued_at=datetime.datetime.now(datetime.UTC),
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "profile", "email", "groups"],
            token_endpoint_auth_method="client_secret_basic",
        )
        backend.save(client)
        client.audience = [client]
        backend.save(client)
    server.set_app(app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(issuer, flush=True)
    sys.stdin.read()


main(sys.argv[1])
