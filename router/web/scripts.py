"""The beacon and its chunks, which foreign pages load: with CORS, compressed once, and for open pages of the last
releases the chunks that belong to them.

A chunk's address names the build that asks for it (`widget.js?v=BUILD`). `dist/releases/<BUILD>/` holds the chunks of
builds before this one; any other build gets this one's.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route


class Script:
    """One script, ready to be sent."""

    def __init__(self, file: Path) -> None:
        self._plain = file.read_bytes()
        self._packed = {"gzip": gzip.compress(self._plain, mtime=0)}
        small = file.with_name(f"{file.name}.br")
        if small.exists():
            self._packed = {"br": small.read_bytes(), **self._packed}
        self._headers = {
            "access-control-allow-origin": "*",
            "cross-origin-resource-policy": "cross-origin",
            "etag": f'"{hashlib.sha256(self._plain).hexdigest()[:16]}"',
            "vary": "accept-encoding",
        }

    def response(self, request: Request, *, lasting: bool) -> Response:
        """Kept by the browser for a year if `lasting`, else asked for again each time."""
        keep = "public, max-age=31536000, immutable" if lasting else "no-cache"
        headers = self._headers | {"cache-control": keep}
        if request.headers.get("if-none-match") == self._headers["etag"]:
            return Response(status_code=304, headers=headers)
        accepted = {
            word.split(";")[0].strip() for word in request.headers.get("accept-encoding", "").split(",")
        }
        for encoding, body in self._packed.items():
            if encoding in accepted:
                headers["content-encoding"] = encoding
                return Response(body, headers=headers, media_type="text/javascript")
        return Response(self._plain, headers=headers, media_type="text/javascript")


def routes(dist: Path) -> list[BaseRoute]:
    """`/beacon.js` and all else that the build made."""
    return [Route(f"/{file.name}", _Versions(dist, file).answer) for file in sorted(dist.glob("*.js"))]


class _Versions:
    """A script as it is now, and as earlier releases had it."""

    def __init__(self, dist: Path, file: Path) -> None:
        self._now = Script(file)
        self._before = {kept.parent.name: Script(kept) for kept in dist.glob(f"releases/*/{file.name}")}

    async def answer(self, request: Request) -> Response:
        """The version that is asked for."""
        build = request.query_params.get("v")
        script = self._before.get(build or "", self._now)
        return script.response(request, lasting=build is not None)
