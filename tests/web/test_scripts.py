"""router.web.scripts: what foreign pages load, small, lasting where its address names a build, kept for open pages."""

from __future__ import annotations

import zlib
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from router.settings import Settings
from router.web import scripts


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A build, and one before it."""
    (tmp_path / "widget.js").write_text("now")
    (tmp_path / "widget.js.br").write_bytes(b"small")
    (tmp_path / "releases" / "AbC12").mkdir(parents=True)
    (tmp_path / "releases" / "AbC12" / "widget.js").write_text("before")
    return tmp_path


async def fetched(dist: Path, address: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=Starlette(routes=scripts.routes(dist)))
    async with httpx.AsyncClient(transport=transport, base_url="http://svc.test") as http:
        request = http.build_request("GET", address, headers={"accept-encoding": "identity", **headers})
        return await http.send(request, stream=True)


async def test_a_page_of_an_earlier_release_gets_its_own_chunks(dist: Path) -> None:
    for address, text in (("?v=AbC12", "before"), ("?v=other", "now"), ("", "now"), ("?v=", "now")):
        answer = await fetched(dist, f"/widget.js{address}")
        assert (await answer.aread()).decode() == text
        assert answer.headers["access-control-allow-origin"] == "*"
        lasting = "immutable" in answer.headers["cache-control"]
        assert lasting is bool(address)


async def test_the_smallest_form_that_the_browser_takes_is_sent(dist: Path) -> None:
    for accepted, encoding in (("gzip, br;q=0.9", "br"), ("gzip", "gzip"), ("deflate", None)):
        answer = await fetched(dist, "/widget.js", **{"accept-encoding": accepted})
        body = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers.get("content-encoding") == encoding
        plain = {"br": b"small", "gzip": b"now", None: b"now"}[encoding]
        assert (zlib.decompress(body, 31) if encoding == "gzip" else body) == plain
    etag = answer.headers["etag"]
    assert (await fetched(dist, "/widget.js", **{"if-none-match": etag})).status_code == 304


def test_every_script_of_the_build_is_there_in_brotlis_form() -> None:
    dist = Settings().static_folder / "dist"
    names = {file.name for file in dist.glob("*.js")}
    assert {"beacon.js", "widget.js", "behaviour.js"} <= names
    assert {file.name for file in dist.glob("*.js.br")} == {f"{name}.br" for name in names}
