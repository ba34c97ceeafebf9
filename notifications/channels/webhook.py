"""Events to other systems: one signed POST, to an address that was looked at first.

Whoever may type an address here could otherwise have us call what only we can reach: other
machines of our network, the cloud's own addresses, this machine. So a name is resolved, every
address behind it is judged, and the connection goes to one of those that were judged: what the
name leads to a moment later does not matter.
"""

import hashlib
import hmac
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from ssl import SSLError
from threading import Timer

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
)
from urllib3.util import parse_url
from urllib3.util.ssl_match_hostname import CertificateError

SIGNATURE = "Mianyue-Signature"
PORTS = {"https": 443, "http": 80}
URL_MAX = 500
# Addresses in which an IPv4 one may hide; nobody's receiver lives there.
_DISGUISES = [
    IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
]


class BadAddress(Exception):
    """We do not send there. `code` is for the log, `message` for who typed it."""

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code)
        self.code, self.message = code, message


class NotTaken(Exception):
    """The receiver did not take the event; `code` says why, `status` what it answered if it did."""

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(frozen=True)
class Target:
    """Where an address leads: its parts, and every IP address behind the name, all judged."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: list[str]

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What came back: the headers by their names in lower case, and as much of the body as was
    asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def look_at(url: str) -> Target:
    """Where `url` leads now. Raises BadAddress. Asks the name server, so it may take seconds."""
    scheme, host, port, path = _parts(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadAddress("unknown_host", _("No such host is known.")) from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses or not all(_may_be_called(address) for address in addresses):
        raise BadAddress(
            "private_address",
            _("This leads into a private network or to this machine itself, which is not allowed."),
        )
    return Target(scheme, host, port, path, addresses)


def sign(body: bytes, secrets: Iterable[str], *, at: int) -> str:
    """The signature header: the time, and for each secret the HMAC-SHA-256 of "time.body"."""
    signed = f"{at}.".encode() + body
    digests = (hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets)
    return ",".join([f"t={at}", *(f"v1={digest}" for digest in digests)])


def send(url: str, body: bytes, *, secrets: Iterable[str], headers: dict[str, str]) -> int:
    """POST `body`, signed, and return the status it was taken with.

    Whatever the receiver does, it takes no longer than PROVIDER_TIMEOUT once the name is resolved.
    Redirects are not followed: they would lead past what was looked at. Raises NotTaken.
    """
    try:
        target = look_at(url)
    except BadAddress as error:
        raise NotTaken(error.code) from None
    signature = sign(body, secrets, at=int(time.time()))
    named = {"Content-Type": "application/json", "User-Agent": "Mianyue-Webhooks/1"}
    answer = call("POST", target, body, {**headers, **named, SIGNATURE: signature})
    if not 200 <= answer.status < 300:
        raise NotTaken(f"http_{answer.status}", answer.status)
    return answer.status


def _parts(url: str) -> tuple[str, str, int, str]:
    malformed = BadAddress("malformed", _("This is not a complete web address."))
    if len(url) > URL_MAX or not url.isprintable() or " " in url or "\\" in url:
        raise malformed
    try:
        parsed = parse_url(url)
    except (LocationParseError, ValueError):
        raise malformed from None
    schemes = ["https", "http"] if settings.WEBHOOK_ALLOW_HTTP else ["https"]
    if parsed.scheme not in schemes:
        raise BadAddress("not_https", _("The address must begin with https://."))
    if parsed.auth:
        raise BadAddress(
            "credentials", _("Leave out name and password: what we send is signed instead.")
        )
    if not parsed.host or parsed.port == 0:
        raise malformed
    host = parsed.host.strip("[]")
    return parsed.scheme, host, parsed.port or PORTS[parsed.scheme], parsed.request_uri


def _may_be_called(text: str) -> bool:
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if settings.MESSAGES_STAY_HERE:
        return address.is_loopback  # nothing leaves the machine
    if settings.WEBHOOK_ALLOW_PRIVATE:
        return True
    if isinstance(address, IPv6Address) and (
        address.is_site_local or any(address in net for net in _DISGUISES)
    ):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def call(
    method: str, target: Target, body: bytes, headers: Mapping[str, str], *, at_most: int = 0
) -> Answer:
    """One request, to an address that was looked at; it is over within PROVIDER_TIMEOUT. Of what
    comes back `at_most` bytes are read, more is an error; none where that is 0. Raises NotTaken."""
    timeout = settings.PROVIDER_TIMEOUT
    connections = [_connection(target, address, timeout) for address in target.addresses]
    late = _Deadline(timeout, connections)
    try:
        connection = _first_to_connect(connections, late)
        late.watch(connection.sock)  # a connection forgets it where the answer ends it
        sent = {**headers, "Host": target.host_header, "Connection": "close"}
        connection.request(method, target.path, body=body, headers=sent, preload_content=False)
        response = connection.getresponse()
        received = response.read(at_most + 1, decode_content=False) if at_most else b""
        if len(received) > at_most:
            raise NotTaken("too_large", response.status)
        named = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status, named, received)
    except NewConnectionError:  # to urllib3 a kind of timeout, to everybody else a refusal
        raise NotTaken("unreachable") from None
    except (TimeoutError, ConnectTimeoutError):
        raise NotTaken("timeout") from None
    except (SSLError, CertificateError):
        raise NotTaken("timeout" if late.passed else "tls") from None
    except (HTTPError, HTTPException, OSError, ValueError):
        raise NotTaken("timeout" if late.passed else "unreachable") from None
    else:
        if late.passed:  # what was read of the answer ends where we cut it off
            raise NotTaken("timeout")
        return answer
    finally:
        late.cancel()
        for connection in connections:
            connection.close()


def _connection(target: Target, address: str, timeout: float) -> HTTPConnection:
    """To this very address; certificates are checked against the name."""
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=timeout)
    return HTTPSConnection(
        address,
        target.port,
        timeout=timeout,
        cert_reqs="CERT_REQUIRED",
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _first_to_connect(connections: list[HTTPConnection], late: "_Deadline") -> HTTPConnection:
    """Addresses are tried in order. Raises what the last of them did, NotTaken where something
    stands between us and the address that was judged."""
    for number, connection in enumerate(connections, start=1):
        try:
            connection.connect()
        except (HTTPError, OSError):
            if number == len(connections) or late.passed:
                raise
            continue
        peer = ip_address(str(connection.sock.getpeername()[0]).partition("%")[0])
        if peer != ip_address(connection.host.partition("%")[0]):
            raise NotTaken("private_address")
        return connection
    raise NotTaken("unreachable")


class _Deadline:
    """Cuts the connections once `seconds` have passed. A socket's own timeout begins anew with each
    byte, so a receiver that sends one now and then would keep us for ever."""

    def __init__(self, seconds: float, connections: list[HTTPConnection]) -> None:
        self.passed = False
        self._connections = connections
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connected: socket.socket) -> None:
        self._socket = connected

    def cancel(self) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.passed = True
        for each in (self._socket, *(connection.sock for connection in self._connections)):
            if each is not None:
                with suppress(OSError):  # already closed
                    socket.socket.shutdown(each, socket.SHUT_RDWR)
