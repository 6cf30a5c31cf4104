"""The door out: who may be called, and what a hostile other side can do. Servers are real, on loopback."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import OutgoingError, OutgoingRefused
from app.core.outgoing.addresses import is_allowed, target_of
from app.core.outgoing.calls import request
from app.market.sources.feed_download import fetch


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, dict[str, str], bytes]]

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append((self.command, self.path, headers, self.rfile.read(length)))
        {"redirect": self._redirect, "drip": self._drip, "gzip": self._gzip, "feed": self._feed}.get(
            self.path.split("/")[1].split("?")[0], self._plain
        )()

    def __getattr__(self, name: str) -> Any:
        if name in ("do_GET", "do_POST"):
            return self._answer
        raise AttributeError(name)

    def _send(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _plain(self) -> None:
        if self.path == "/status/404":
            self._send(b"", status=404, Retry_After="60")
        else:
            self._send(b"x" * 1000, X_Kind="plain")

    def _redirect(self) -> None:
        code, _, location = self.path.removeprefix("/redirect/").partition("/")
        self._send(b"", status=int(code), Location=location)

    def _gzip(self) -> None:
        self._send(gzip.compress(b"\0" * 30_000_000), Content_Encoding="gzip")

    def _feed(self) -> None:
        is_same = self.headers.get("if-none-match") == '"1"'
        self._send(b"" if is_same else b"<rss/>", status=304 if is_same else 200, ETag='"1"', Last_Modified="now")

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            time.sleep(0.1)

    def log_request(self, *args: object) -> None:
        return


Server = tuple[str, list[tuple[str, str, dict[str, str], bytes]]]


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    _Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", _Handler.seen
        server.shutdown()


def reason(call: Callable[[], object]) -> tuple[type[OutgoingError], object]:
    with pytest.raises(OutgoingError) as caught:
        call()
    return type(caught.value), caught.value.params["reason"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1/", "not_public"),
        ("http://localhost/", "not_public"),
        ("http://10.1.2.3/", "not_public"),
        ("http://172.16.0.1/", "not_public"),
        ("http://192.168.0.1:8080/", "not_public"),
        ("http://100.64.0.1/", "not_public"),
        ("http://0.0.0.0/", "not_public"),
        ("http://169.254.169.254/latest/meta-data/", "not_public"),
        ("http://168.63.129.16/", "not_public"),
        ("http://224.0.0.1/", "not_public"),
        ("http://255.255.255.255/", "not_public"),
        ("http://240.0.0.1/", "not_public"),
        ("http://192.0.2.1/", "not_public"),
        ("http://[::1]/", "not_public"),
        ("http://[::]/", "not_public"),
        ("http://[fe80::1]/", "not_public"),
        ("http://[fc00::1]/", "not_public"),
        ("http://[fd00:ec2::254]/", "not_public"),
        ("http://[ff02::1]/", "not_public"),
        ("http://[::ffff:127.0.0.1]/", "not_public"),
        ("http://[::ffff:a9fe:a9fe]/", "not_public"),
        ("http://[::127.0.0.1]/", "not_public"),
        ("http://[64:ff9b::7f00:1]/", "not_public"),
        ("http://[2002:7f00:1::]/", "not_public"),
        ("http://[2001:0:1::1]/", "not_public"),
        ("http://2130706433/", "odd_host"),
        ("http://0x7f000001/", "odd_host"),
        ("http://0177.0.0.1/", "odd_host"),
        ("http://127.1/", "odd_host"),
        ("http://0x7f.0.0.1/", "odd_host"),
        ("http://127.0.0.1./", "odd_host"),
        ("http://user:pass@example.org/", "userinfo"),
        ("http://example.org@127.0.0.1/", "userinfo"),
        ("ftp://example.org/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:6379/_x", "scheme"),
        ("//example.org/", "scheme"),
        ("example.org", "scheme"),
        ("", "scheme"),
        ("http:///x", "bad_url"),
        ("http://example.org/\r\nHost: x", "bad_url"),
        ("http://example.org\\@127.0.0.1/", "bad_url"),
        ("http://exa mple.org/", "bad_url"),
        ("http://[::1/", "bad_url"),
        ("http://example.org:99999/", "bad_url"),
        ("http://example.org/" + "x" * 3000, "bad_url"),
        ("http://example.org:22/", "port"),
        ("http://example.org:25/", "port"),
        ("http://example.org:6379/", "port"),
        ("http://example.org:0/", "port"),
    ],
)
def test_refuses_before_anything_is_sent(url: str, expected: str) -> None:
    assert reason(lambda: request("GET", url)) == (OutgoingRefused, expected)


def _answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Patch the resolver alone: each call gives the next of `answers`, the last one for ever."""
    asked: list[str] = []

    def resolve(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        address = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in address.split()]

    monkeypatch.setattr("app.core.outgoing.addresses.socket.getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "93.184.216.34 10.0.0.1", "169.254.169.254"])
def test_a_name_that_leads_inside_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, address)
    assert reason(lambda: request("GET", "http://feeds.example/")) == (OutgoingRefused, "not_public")


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_called(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, "93.184.216.34", "127.0.0.1")
    target = target_of("https://feeds.example:8443/a?b=c", allow_private=False)
    assert (target.address, target.host_header, target.path) == ("93.184.216.34", "feeds.example:8443", "/a?b=c")


def test_the_connection_goes_to_the_checked_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url, seen = server
    port = url.rpartition(":")[2]
    real, names = socket.getaddrinfo, list[str]()

    def resolve(host: str, port: Any, *args: Any, **options: Any) -> object:
        names.append(host)
        return real("127.0.0.1" if host == "feeds.example" and len(names) == 1 else host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert request("GET", f"http://feeds.example:{port}/x", allow_private=True).status == 200
    assert seen[0][2]["host"] == f"feeds.example:{port}"
    assert names.count("feeds.example") == 1


def test_an_unknown_host_is_an_error_and_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("app.core.outgoing.addresses.socket.getaddrinfo", fail)
    assert reason(lambda: request("GET", "http://no.example/")) == (OutgoingError, "unknown_host")


def test_a_real_server_is_called_only_where_private_addresses_may_be(server: Server) -> None:
    url, seen = server
    assert reason(lambda: request("GET", url)) == (OutgoingRefused, "not_public")
    assert seen == []
    answer = request("POST", f"{url}/hook?a=b", body=b"{}", headers={"X-A": "b"}, allow_private=True)
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, b"x" * 1000, "plain")
    method, path, headers, body = seen[0]
    assert (method, path, headers["x-a"], headers["user-agent"], body) == (
        "POST",
        "/hook?a=b",
        "b",
        "Bellwether",
        b"{}",
    )


def test_metadata_services_are_refused_even_where_private_addresses_may_be() -> None:
    for text in ("169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "224.0.0.1"):
        assert not is_allowed(ip_address(text), allow_private=True)
    call = partial(request, "GET", "http://169.254.169.254/", allow_private=True)
    assert reason(call) == (OutgoingRefused, "not_public")


def test_redirects_of_get_are_followed_and_checked_again(server: Server) -> None:
    url, _ = server
    answer = request("GET", f"{url}/redirect/302//plain", allow_private=True)
    assert (answer.status, answer.url, answer.permanent_url) == (200, f"{url}/plain", None)
    assert request("GET", f"{url}/redirect/301//plain", allow_private=True).permanent_url == f"{url}/plain"
    inside = f"{url}/redirect/302/http://169.254.169.254/latest"
    assert reason(lambda: request("GET", inside, allow_private=True)) == (OutgoingRefused, "not_public")
    assert reason(lambda: request("GET", f"{url}/redirect/302/file:///etc/passwd", allow_private=True)) == (
        OutgoingRefused,
        "scheme",
    )
    loop = f"{url}/redirect/302//redirect/302//redirect/302//redirect/302//redirect/302//redirect/302//x"
    assert reason(lambda: request("GET", loop, allow_private=True)) == (OutgoingError, "too_many_redirects")


def test_a_public_server_cannot_redirect_inside(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url, seen = server
    # The first host counts as public, though the server that answers for it is on loopback.
    monkeypatch.setattr(
        "app.core.outgoing.addresses.is_allowed", lambda address, *, allow_private: str(address) == "127.0.0.1"
    )
    assert reason(lambda: request("GET", f"{url}/redirect/302/http://10.0.0.1/")) == (OutgoingRefused, "not_public")
    assert [path for _, path, _, _ in seen] == ["/redirect/302/http://10.0.0.1/"]


def test_redirects_of_post_are_not_followed(server: Server) -> None:
    url, seen = server
    assert request("POST", f"{url}/redirect/307//plain", body=b"x", allow_private=True).status == 307
    assert len(seen) == 1


def test_credentials_do_not_cross_origins(server: Server) -> None:
    url, seen = server
    elsewhere = url.replace("127.0.0.1", "localhost")
    request("GET", f"{url}/redirect/302/{elsewhere}/plain", headers={"Authorization": "Bearer x"}, allow_private=True)
    assert "authorization" in seen[0][2]
    assert "authorization" not in seen[1][2]


@pytest.mark.parametrize("path", ["/plain", "/gzip"])
def test_answers_over_the_cap_are_cut_off(path: str, server: Server) -> None:
    url, _ = server
    assert reason(lambda: request("GET", url + path, max_bytes=999, allow_private=True)) == (OutgoingError, "too_large")


def test_a_dripping_server_does_not_hold_the_caller(server: Server) -> None:
    url, _ = server
    begun = time.monotonic()
    assert reason(lambda: request("GET", f"{url}/drip", timeout_s=0.5, allow_private=True)) == (
        OutgoingError,
        "timeout",
    )
    assert time.monotonic() - begun < 5


@pytest.fixture(name="listener")
def _listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def _say(listener: socket.socket, said: bytes) -> str:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(said)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_silent_server_times_out(listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    assert reason(lambda: request("GET", url, timeout_s=0.3, allow_private=True)) == (OutgoingError, "timeout")


@pytest.mark.parametrize("said", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"])
def test_a_broken_answer_is_an_error(said: bytes, listener: socket.socket) -> None:
    url = _say(listener, said)
    kind, why = reason(lambda: request("GET", url, timeout_s=5, allow_private=True))
    assert (kind, why in ("broken_answer", "unreachable")) == (OutgoingError, True)


def test_a_server_without_tls_fails_tls(listener: socket.socket) -> None:
    url = _say(listener, b"HTTP/1.1 400 Bad\r\n\r\n").replace("http:", "https:")
    assert reason(lambda: request("GET", url, timeout_s=5, allow_private=True)) == (OutgoingError, "tls_failed")


def test_nobody_listening_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert reason(lambda: request("GET", f"http://127.0.0.1:{port}/", allow_private=True)) == (
        OutgoingError,
        "unreachable",
    )


def test_certificates_are_checked() -> None:
    from app.core.outgoing.calls import tls_context

    assert tls_context().verify_mode is ssl.CERT_REQUIRED
    assert tls_context().check_hostname


@given(st.ip_addresses())
def test_what_is_private_is_never_called(address: object) -> None:
    found = ip_address(str(address))
    if is_allowed(found, allow_private=False):
        inside = "64:ff9b::" in str(found)
        assert found.is_global or inside
        assert not found.is_multicast


def test_public_addresses_are_allowed() -> None:
    for text in ("93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::808:808"):
        assert is_allowed(ip_address(text), allow_private=False)


def test_fetch_asks_again_only_for_what_changed(server: Server) -> None:
    url, seen = server
    first = fetch(f"{url}/feed", allow_private=True)
    assert (first.status, first.body, first.etag, first.last_modified) == (200, b"<rss/>", '"1"', "now")
    second = fetch(f"{url}/feed", etag=first.etag, last_modified=first.last_modified, allow_private=True)
    assert (second.status, second.body, second.etag) == (304, b"", '"1"')
    assert seen[1][2]["if-modified-since"] == "now"


def test_fetch_fails_on_error_answers_and_private_addresses(server: Server) -> None:
    url, _ = server
    with pytest.raises(OutgoingError) as caught:
        fetch(f"{url}/status/404", allow_private=True)
    assert (caught.value.params["status"], caught.value.params["retry_after"]) == (404, "60")
    assert reason(lambda: fetch(f"{url}/feed")) == (OutgoingRefused, "not_public")


def test_headers_cannot_be_injected_by_an_etag(server: Server) -> None:
    url, seen = server
    fetch(f"{url}/feed", etag='"x"\r\nX-Evil: 1', allow_private=True)
    assert "x-evil" not in seen[0][2]
    assert "if-none-match" not in seen[0][2]
