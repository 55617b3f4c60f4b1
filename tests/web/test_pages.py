"""Our pages: a strict CSP that they keep themselves, named errors, and no way out of their folders."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from router.live.clock import WallClock
from router.settings import Settings
from router.store.embedded import Embedded
from router.web.pages import CSP, with_pictures
from tests.service import in_loop

STATIC = Settings().static_folder
HTML = sorted(file for file in STATIC.rglob("*.html") if "node_modules" not in file.parts)
PAGES = ["/", "/agent/", "/demo/", "/demo/cart", "/demo/shipping", "/demo/checkout", "/demo/thanks"]
MOUNTS = ["/home/", "/agent/", "/vendor/", "/demo/"]


@pytest.fixture
async def http(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        in_loop(valkey.url, WallClock(), tmp_path) as at,
        httpx.AsyncClient(base_url=at.url) as client,
    ):
        yield client


def directives(policy: str) -> dict[str, list[str]]:
    """A content security policy by directive."""
    return {words[0]: words[1:] for words in (part.split() for part in policy.split(";")) if words}


def assert_strict(headers: httpx.Headers) -> None:
    """Nothing inline, nothing foreign, no framing (but by the demo's own tour), no guessing of types."""
    policy = directives(headers["content-security-policy"])
    assert policy["default-src"] == ["'none'"] and policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] in (["'none'"], ["'self'"])
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


# --- headers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, "/demo/p/no-such-product", "/demo/nothing", "/nothing", "/healthz"])
async def test_every_answer_carries_the_strict_policy(http: httpx.AsyncClient, page: str) -> None:
    assert_strict((await http.get(page)).headers)


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_html_and_head_says_the_same_without_it(http: httpx.AsyncClient, page: str) -> None:
    got, head = await http.get(page), await http.head(page)
    assert got.status_code == head.status_code == 200
    assert got.headers["content-type"] == head.headers["content-type"] == "text/html; charset=utf-8"
    assert got.text.startswith("<!doctype html>") and not head.content
    assert "server" not in got.headers


async def test_the_scripts_for_foreign_pages_may_be_loaded_by_them(http: httpx.AsyncClient) -> None:
    for name in ("/beacon.js", "/widget.js"):
        got = await http.get(name, headers={"Origin": "https://shop.example"})
        assert got.status_code == 200 and got.headers["content-type"].startswith("text/javascript")
        assert got.headers["access-control-allow-origin"] == "*"
        assert got.headers["cross-origin-resource-policy"] == "cross-origin"
        assert got.headers["cache-control"] == "no-cache"
        again = await http.get(name, headers={"If-None-Match": got.headers["etag"]})
        assert again.status_code == 304 and not again.content


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/nothing", "/agent/nothing.js", "/vendor/nothing", "/home/", "/v1/shopper/new"]
)
async def test_what_is_not_there_is_a_named_error(http: httpx.AsyncClient, path: str) -> None:
    got = await http.get(path)
    assert got.status_code == 404
    assert got.json() == {"error": "not_found", "text": "There is nothing at this address.", "retry": False}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("DELETE", "/beacon.js"),
        ("PUT", "/agent/"),
        ("GET", "/v1/last"),
        ("POST", "/agent/app.js"),
        ("TRACE", "/healthz"),
    ],
)
async def test_a_method_that_is_not_taken_is_a_named_error(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    got = await http.request(method, path)
    assert got.status_code == 405 and got.json()["error"] == "bad_method"
    assert_strict(got.headers)


# --- paths -------------------------------------------------------------------------------------------------

OUT = [
    "../../pyproject.toml",
    "..%2f..%2fpyproject.toml",
    "%2e%2e/%2e%2e/pyproject.toml",
    "%2e%2e%2f%2e%2e%2fpyproject.toml",
    "..%5c..%5cpyproject.toml",
    "%252e%252e/%252e%252e/pyproject.toml",
    "....//....//pyproject.toml",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "app.js%00.html",
    "%00",
    "a" * 5000,
    "%c0%ae%c0%ae/pyproject.toml",
    "./../console/../../router/settings.py",
]


@pytest.mark.parametrize("mount", MOUNTS)
async def test_no_path_leads_out_of_a_folder(http: httpx.AsyncClient, mount: str) -> None:
    for way in OUT:
        request = http.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=f"{mount}{way}".encode())
        got = await http.send(request)
        assert got.status_code in (404, 405), (way, got.status_code)
        assert "root:" not in got.text and "[project]" not in got.text and "import" not in got.text, way


# --- what the pages themselves are -------------------------------------------------------------------------


class Inline(HTMLParser):
    """Everything in a page that a strict policy would stop, and every address that it names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or "style" in names or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag} {attrs}>")
        self.found += [f"<{tag} {name}>" for name in names if name.startswith("on")]
        for name in ("src", "href", "action"):
            self.addresses.append(names.get(name) or "")
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def test_there_are_pages_to_look_at() -> None:
    assert {file.parent.name for file in HTML} >= {"home", "console", "demo"}


@pytest.mark.parametrize("file", HTML, ids=lambda file: str(file.relative_to(STATIC)))
def test_no_page_has_anything_inline_or_foreign(file: Path) -> None:
    page = Inline()
    page.feed(file.read_text("utf-8"))
    assert not page.found
    assert not [
        address for address in page.addresses if re.match(r"(?i)\s*(javascript|data|https?):|//", address)
    ]


SCRIPTS = sorted(
    file
    for file in STATIC.rglob("*.js")
    if not {"node_modules", "vendor", "dist"} & set(file.parts) and not file.name.endswith(".test.mjs")
)


@pytest.mark.parametrize(
    "word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
)
def test_no_script_of_ours_makes_html_or_code_of_text(word: str) -> None:
    assert len(SCRIPTS) > 20
    assert not [str(file) for file in SCRIPTS if word in file.read_text("utf-8")]


def test_the_console_shows_pictures_from_where_sites_have_theirs_and_nowhere_else() -> None:
    addresses = ["https://img.example/p/{product}.jpg", "/demo/img/{product}.svg", ""]
    allowed = directives(with_pictures(CSP, addresses))["img-src"]
    assert allowed == ["'self'", "data:", "https://img.example"]
    assert with_pictures(CSP, [""]) == CSP
