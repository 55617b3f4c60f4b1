"""The rules that are in force: from the site file, from what was published since, and the kill switch.

The newer of both wins: a site file that changes on disk is read again, a published revision is taken from the store.
Either is checked first; one with a fault is refused, told, and what was in force stays. All processes look more than
twice a second, so that what one of them is told holds everywhere within one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from redis.exceptions import RedisError

from router.core.document import FileErrors
from router.core.site import Site, load_sites
from router.core.written import Written, rewritten
from router.errors import Refused
from router.live.clock import Clock
from router.store.journal import Journal
from router.store.life import goes_on
from router.store.rulebooks import Revision, Rulebooks, Switch

log = structlog.get_logger()

LOOK_S: Final = 0.4


class SiteFiles:
    """The site file and the files it names. `at`: when the newest of those in use was written (ms since the epoch)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._names: set[str] = set()
        self._seen: dict[str, int] = {}
        self.at = 0

    def load(self) -> dict[str, Site]:
        """Read them. Raises FileErrors with every fault."""
        self._names = {str(self._file)}
        try:
            sites = load_sites(str(self._file), self._read)
        finally:
            self._seen = self._times()
        self.at = max(self._seen.values()) // 1_000_000
        return sites

    def _read(self, name: str) -> str:
        self._names.add(name)
        return Path(name).read_text(encoding="utf-8")

    @property
    def changed(self) -> bool:
        """Whether any of them is another one than when they were read."""
        return self._times() != self._seen

    def _times(self) -> dict[str, int]:
        return {name: _written(name) for name in self._names}


def _written(name: str) -> int:
    try:
        return Path(name).stat().st_mtime_ns
    except OSError:
        return 0


class Rulebook:
    """What is in force at this process. `adapt` is done to sites that were read.

    `bind` it to the engine before it looks: `take(site)` puts a site with other rules or texts in force, `stop(site id,
    killed)` turns everything proactive off or on again. `errors`: by site ("" for the files), why the newest rules are
    not in force; `killed`: by site, by whom.
    """

    def __init__(
        self,
        files: SiteFiles,
        store: Rulebooks,
        clock: Clock,
        journal: Journal,
        adapt: Callable[[dict[str, Site]], dict[str, Site]] = lambda sites: sites,
    ) -> None:
        self.errors: dict[str, str] = {}
        self.killed: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self._files = files
        self._store = store
        self._clock = clock
        self._journal = journal
        self._adapt = adapt
        self._looking = asyncio.Lock()
        self._sites: dict[str, Site] = {}
        self._in_force: dict[str, Site] = {}

    def bind(self, take: Callable[[Site], None], stop: Callable[[str, bool], None]) -> None:
        """The engine, which exists only after the sites were read."""
        self._take, self._stop = take, stop

    def read(self) -> dict[str, Site]:
        """The sites as the files have them, for a start. Raises FileErrors."""
        self._sites = self._adapt(self._files.load())
        self._in_force = dict(self._sites)
        return dict(self._sites)

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while goes_on():
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Take up whatever is newer than what is in force. A store that is away changes nothing."""
        async with self._looking:
            if self._files.changed:
                await asyncio.to_thread(self._reread)
            try:
                for site in list(self._sites):
                    await self._follow(site)
            except (RedisError, OSError) as error:
                log.warning("the rules could not be looked at", error=str(error))

    def _reread(self) -> None:
        try:
            sites = self._adapt(self._files.load())
        except FileErrors as errors:
            self._refuse("", str(errors))
            return
        if sites.keys() != self._sites.keys():
            self._refuse("", "a site came or went: that takes a restart")
            return
        self.errors.pop("", None)
        self._sites = sites
        self.numbers.clear()

    async def _follow(self, site: str) -> None:
        switch = await self._store.switch(site)
        if switch.killed != self.killed.get(site, ""):
            self._switched(site, switch)
        if switch.number != self.numbers.get(site, -1):
            await self._renew(site, switch.number)

    def _switched(self, site: str, switch: Switch) -> None:
        self.killed[site] = switch.killed
        self._stop(site, bool(switch.killed))
        self._note(site, "killed" if switch.killed else "revived", switch.killed)

    async def _renew(self, site: str, number: int) -> None:
        """Put the newer of the file and the newest revision in force."""
        self.numbers[site] = number
        try:
            chosen = await newest(self._sites[site], self._files.at, self._store, number)
        except FileErrors as errors:
            self._refuse(site, str(errors))
            return
        self.errors.pop(site, None)
        if chosen is not self._in_force[site]:
            self._in_force[site] = chosen
            self._take(chosen)
            self._note(site, "in force", chosen.rules.version)

    def _refuse(self, site: str, error: str) -> None:
        self.errors[site] = error
        log.error("new rules are refused, the old ones stay", site=site, error=error)

    def _note(self, site: str, what: str, about: str) -> None:
        log.info("rules", site=site, what=what, about=about)
        record = {"site": site, "what": what, "about": about, "at": self._clock.now()}
        self._journal.add("rules", record)

    # --- changing -----------------------------------------------------------------------------------------------

    async def publish(self, site: str, written: Written, who: str, note: str) -> int:
        """Check rules and texts and have every process take them up; returns the revision's number.

        Raises FileErrors with every fault, Refused("unknown_site").
        """
        filed = self._site(site)
        if written.texts and written.texts == await self._filed(filed.texts_file):
            written = Written(written.rules)  # then they follow the file
        checked = await asyncio.to_thread(rewritten, filed, written)
        return await self._store.publish(
            site, written.rules, checked.rules.version, who, note, self._clock.now(), written.texts
        )

    async def roll_back(self, site: str, number: int, who: str) -> int:
        """Publish an older revision again, as a new one. Raises FileErrors, Refused: not_found, unknown_site."""
        revision = await self._store.revision(site, number)
        if revision is None:
            raise Refused("not_found", f"There is no revision {number}.")
        return await self.publish(site, Written(revision.text, revision.texts), who, f"back to {number}")

    async def kill(self, site: str, on: bool, who: str) -> None:
        """Stop everything proactive of a site, or let it go on. Raises Refused("unknown_site")."""
        await self._store.kill(self._site(site).id, who if on else "")

    def in_force(self, site: str) -> int:
        """The number of the revision that is in force; 0: the site file's rules are. Raises Refused("unknown_site")."""
        published = self._in_force[self._site(site).id] is not self._sites[site]
        return self.numbers.get(site, 0) if published else 0

    async def written(self, site: str) -> Written:
        """Rules and texts as they are in force. Raises Refused: not_found, unknown_site."""
        filed, number = self._site(site), self.in_force(site)
        revision = await self._store.revision(site, number) if number else None
        if number and revision is None:
            raise Refused("not_found", f"There is no revision {number}.")
        rules = revision.text if revision else await self._filed(filed.rules_file)
        texts = revision.texts if revision else ""
        return Written(rules, texts or await self._filed(filed.texts_file))

    @staticmethod
    async def _filed(name: str) -> str:
        return await asyncio.to_thread(Path(name).read_text, encoding="utf-8")

    async def history(self, site: str) -> list[Revision]:
        """The revisions that are kept, newest first."""
        return await self._store.history(self._site(site).id)

    def _site(self, site: str) -> Site:
        if site not in self._sites:
            raise Refused("unknown_site")
        return self._sites[site]


async def newest(site: Site, written_at: int, store: Rulebooks, number: int) -> Site:
    """The site with the newer of its files and of the published revision. Raises FileErrors."""
    revision = await store.revision(site.id, number) if number else None
    if revision is None or revision.at <= written_at:
        return site
    written = Written(revision.text, revision.texts)
    return await asyncio.to_thread(rewritten, site, written, f" of revision {number}")
