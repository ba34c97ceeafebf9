"""A local stand-in for those who say who somebody is: an OpenID Connect provider with a key of its
own, and the few answers of DingTalk and Feishu that signing in needs."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "mianyue", "a secret of the provider's"
KEY, ANOTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "12")


class Provider:
    """`person` is who signs in; `claims` go into the ID token over everything else. `broken` makes
    the endpoints named in it answer 500."""

    def __init__(self) -> None:
        self.person = {"sub": "u-1", "name": "李娜", "email": "", "email_verified": True}
        self.claims: dict = {}
        self.sign = self._sign
        self.broken: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # --- OpenID Connect -----------------------------------------------------------------------

    def configuration(self) -> dict:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the person is sent back to, having signed in here at once."""
        self.asked.append(query)
        code = secrets.token_urlsafe(8)
        self._codes[code] = query
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})

    def token(self, form: dict[str, str]) -> dict | None:
        """An ID token, once, for the code, the secret and the verifier that belong together."""
        query = self._codes.pop(form.get("code", ""), None)
        if query is None or form.get("client_secret") != CLIENT_SECRET:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (query["code_challenge_method"], query["code_challenge"]) != ("S256", challenge):
            return None
        if form["redirect_uri"] != query["redirect_uri"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": self.person["sub"],
            "iat": now,
            "exp": now + 60,
            "nonce": query.get("nonce"),
        }
        return {"access_token": "here", "id_token": self.sign(claims | self.claims)}

    def _sign(self, claims: dict) -> str:
        return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "k1"})

    def sign_with_another_key(self, claims: dict) -> str:
        return jwt.encode(claims, ANOTHER_KEY, algorithm="RS256", headers={"kid": "k1"})

    def sign_not_at_all(self, claims: dict) -> str:
        return jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})

    def sign_with_what_everybody_knows(self, claims: dict) -> str:
        key = json.dumps(self.jwks()["keys"][0])
        return jwt.encode(claims, key, algorithm="HS256", headers={"kid": "k1"})

    def jwks(self) -> dict:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [public | {"kid": "k1", "alg": "RS256", "use": "sig"}]}

    # --- DingTalk and Feishu ------------------------------------------------------------------

    def dingtalk(self) -> dict:
        return {"openId": self.person["sub"], "nick": "娜娜", "email": self.person["email"]}

    def feishu(self) -> dict:
        person = {"open_id": self.person["sub"], "name": "李娜", "email": self.person["email"]}
        return {"code": 0, "data": person}

    def _answer(self, path: str, sent: dict[str, str]) -> dict | None:
        dingtalk_token = {"accessToken": "d", "refreshToken": "r", "expireIn": 7200}
        answers = {
            "/.well-known/openid-configuration": self.configuration,
            "/token": lambda: self.token(sent),
            "/userinfo": lambda: self.person,
            "/jwks": self.jwks,
            "/dingtalk/token": lambda: dingtalk_token,
            "/dingtalk/me": self.dingtalk,
            "/feishu/app": lambda: {"app_access_token": "a"},
            "/feishu/token": lambda: {"data": {"access_token": "f"}},
            "/feishu/me": self.feishu,
        }
        return answers[path]()

    def _handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                address = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(address.query).items()}
                if address.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(query))
                    self.end_headers()
                else:
                    self._say(address.path, query)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                sent = {key: values[0] for key, values in parse_qs(body).items()}
                self._say(self.path, sent)

            def _say(self, path, sent):
                failing = path.rpartition("/")[2] in provider.broken
                said = None if failing else provider._answer(path, sent)
                answer = json.dumps(said if said is not None else {"error": "no"}).encode()
                self.send_response(500 if failing else 400 if said is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        return Handler
