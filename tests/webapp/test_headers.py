"""The security headers are on every response, whatever made it."""

import socket
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from webapp import Settings, create_app
from webapp.contents import Contents
from webapp.headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS


def assert_secure(response: httpx.Response) -> None:
    for name, value in SECURITY_HEADERS.items():
        assert response.headers.get_list(name) == [value]
    assert "cache-control" in response.headers
    assert "access-control-allow-origin" not in response.headers
    assert "server" not in response.headers


def test_the_policy_admits_only_this_site() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'; script-src 'self';" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.endswith("require-trusted-types-for 'script'; trusted-types app offline")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("HEAD", "/", {}, 200),
        ("GET", "/app/main.js", {"Accept-Encoding": "br"}, 200),
        ("GET", "/models/catalogue.json", {}, 200),
        ("GET", "/models/tiny/manifest.json", {}, 200),
        ("GET", "/models/tiny/model.onnx", {"Range": "bytes=1-5"}, 206),
        ("GET", "/models/tiny/model.onnx", {"If-None-Match": "*"}, 304),
        ("GET", "/models/tiny/model.onnx", {"Range": "bytes=99999-"}, 416),
        ("GET", "/bench", {}, 308),
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/models/catalogue.json", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", "/nothing", {}, 404),
        ("GET", "/nothing", {"Accept": "text/html,*/*;q=0.8"}, 404),
        ("GET", "/models/tiny/nothing", {}, 404),
        ("POST", "/", {}, 405),
        ("OPTIONS", "/models/tiny/manifest.json", {}, 405),
    ],
)
def test_on_every_kind_of_response(
    client: httpx.Client, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    response = client.request(method, path, headers=headers)
    assert response.status_code == status
    assert_secure(response)


def test_a_page_that_came_with_a_model_has_no_origin(own_client: httpx.Client, artifact: Path) -> None:
    (artifact / "report.html").write_text("<script>fetch('/')</script>", encoding="utf-8")
    policy = own_client.get("/models/tiny/report.html").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; ")
    assert "allow-same-origin" not in policy
    assert own_client.get("/report.html").headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_on_an_unforeseen_failure(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Contents, "represent", fail)
    with TestClient(
        create_app(Settings(site=site)), base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        response = client.get("/")
    assert response.status_code == 500
    assert response.text == "Internal Server Error"
    for name, value in SECURITY_HEADERS.items():
        assert response.headers[name] == value


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Name: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_on_requests_that_are_not_http(client: httpx.Client, request_bytes: bytes) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=5) as raw:
        raw.sendall(request_bytes)
        answer = raw.recv(65536).decode("latin-1")
    assert answer.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert "Content-Length: 0\r\n" in answer
    for name, value in SECURITY_HEADERS.items():
        assert f"\r\n{name}: {value}\r\n" in answer
