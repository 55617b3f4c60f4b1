"""A test's shopper: pages on a real socket, and every message that came, by type."""

from __future__ import annotations

import itertools
from typing import TypeVar

from router.core.protocol import ServerMessage
from router.replay.page import PageClient
from tests.service import InLoop, Process
from tests.waiting import until

M = TypeVar("M", bound=ServerMessage)
_numbers = itertools.count(1)


def page_id() -> str:
    """A page id; later ones are greater."""
    return f"0{next(_numbers):08d}-testing"


class Shopper:
    """One visitor with any number of pages."""

    def __init__(self, at: InLoop | Process, site: str = "demo") -> None:
        self.at = at
        self.site = site
        self.token: str | None = None
        self.visitor: str | None = None
        self.got: list[ServerMessage] = []

    def page(self, name: str | None = None) -> PageClient:
        """A page that is not connected."""
        return PageClient(
            name or page_id(), self.site, self.token, self.visitor, lambda _, m: self.got.append(m)
        )

    async def open(
        self, name: str | None = None, *, previous: str | None = None, language: str = "ja"
    ) -> PageClient:
        """A page that was welcomed."""
        page = self.page(name)
        await self.connect(page, previous=previous, language=language)
        return page

    async def connect(self, page: PageClient, *, previous: str | None = None, language: str = "ja") -> None:
        """Connect (again)."""
        self.at.opened.append(page)
        await page.connect(self.at.ws, self.at.url, previous=previous, language=language)
        self.token, self.visitor = page.token, page.visitor

    @property
    def sid(self) -> str:
        """The session's id."""
        assert self.token is not None
        return self.token.split(".")[2]

    def all(self, kind: type[M]) -> list[M]:
        """The messages of a type that came so far."""
        return [message for message in self.got if isinstance(message, kind)]

    async def next(self, kind: type[M], *, within_s: float = 5.0) -> M:
        """Wait for a message of the type; it is taken out."""
        found = (await until(lambda: self.all(kind), within_s=within_s))[0]
        self.got.remove(found)
        return found
