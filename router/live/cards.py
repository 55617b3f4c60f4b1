"""What agents send in a talk beside words: an article, or a discount code of their own budget."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Final

from router.core.offers import RANDOM_BYTES, new_code
from router.core.routing import Talk
from router.core.rules.model import GiveOffer, ShowArticle
from router.errors import Refused
from router.live.switchboard import Shop
from router.store.offers import Offers

Card = dict[str, Any]
"""`{kind, title, text, url}` of an article, `{kind, title, text, terms, code, expires_at_ms}` of an offer."""

BUDGET: Final = "Your codes of this offer are used up for today."


class Cards:
    """Both raise `Refused("bad_request")` for what the site does not have."""

    def __init__(self, offers: Offers) -> None:
        self._offers = offers

    def article(self, site: Shop, talk: Talk, article: str) -> tuple[str, Card]:
        """The card, and the words that stand for it."""
        if article not in site.articles:
            raise Refused("bad_request", "The site has no such article.")
        content = site.content(ShowArticle(article=article), talk.language)
        card = {"kind": "article", **{name: content[name] for name in ("title", "text", "url")}}
        return f"{content['title']} {content['url']}", card

    async def offer(
        self, site: Shop, talk: Talk, offer: str, login: str, mid: str, now: int
    ) -> tuple[str, Card]:
        """A code for this talk, once a `mid`. Raises `Refused("full")` beyond the agent's or the campaign's budget."""
        campaign = site.offers.get(offer)
        if campaign is None or not campaign.agent_budget:
            raise Refused("bad_request", "Agents give no codes of such an offer.")
        if not await self._offers.give(site.id, offer, login, mid, campaign.agent_budget, now):
            raise Refused("full", BUDGET)
        made = await self._offers.reserve(
            site.id, mid, offer, code=new_code(secrets.token_bytes(RANDOM_BYTES)), budget=campaign.budget,
            percent=campaign.percent, expires_in_ms=campaign.expires_ms, visitor=talk.visitor, now=now,
        )  # fmt: skip
        if made is None:
            raise Refused("full", "The offer's budget is spent.")
        await self._offers.confirm(site.id, mid)
        content = site.content(GiveOffer(offer=offer), talk.language)
        card = {
            "kind": "offer", **{name: content[name] for name in ("title", "text", "terms")}, "code": made.code,
            "expires_at_ms": made.expires_at,
        }  # fmt: skip
        until = datetime.fromtimestamp(made.expires_at / 1000, UTC).isoformat(timespec="minutes")
        return f"{content['title']} {made.code} ({until})", card
