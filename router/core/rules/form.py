"""The form of a rules file: what stands where, how it is typed, and which names it may use.

The same shapes load a file and give its JSON Schema, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from router.core import units
from router.core.document import Json, Shape, parse
from router.core.rules.compile import MAX_RULES
from router.core.rules.conditions import ANY, Names, Whole, condition, named, rate
from router.core.rules.model import (
    Action,
    Also,
    Caps,
    Dates,
    DefaultCaps,
    Defaults,
    Entry,
    GiveOffer,
    Invite,
    Notice,
    RuleFile,
    ShowArticle,
    Tag,
    Webhook,
)  # fmt: skip
from router.core.scalars import ID, SHARE, SKILL, VERSION, length, whole, written
from router.core.shapes import Again, Choice, Either, Fields, Key, ListOf, Made, OneKey, Scalar

MAX_VISITOR_MS: Final = 90 * units.DAY  # as long as a visitor's caps are kept
MAX_VALID_MS: Final = 2 * units.MINUTE  # well within the 5 min that claims of a decision live


# --- scalars ---------------------------------------------------------------------------------------------


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return int(moment.timestamp() * 1000)


CAP_RATE: Final = written(
    "a count in a window of at most 90d, such as `3 in 7d`", units.RATE, rate(1000, MAX_VISITOR_MS)
)
NOT_BEFORE: Final = written("a time on the visible clock such as `30s visible`", units.VISIBLE, units.visible)
VALID: Final = length("a duration from 1s to 2m such as `20s`", units.SECOND, MAX_VALID_MS)
PATIENCE: Final = length("a duration of at most 2m such as `20s`", 0, MAX_VALID_MS)
REST: Final = length("a duration of at most 90d such as `24h`", 0, MAX_VISITOR_MS)
MOMENT: Final = Scalar(
    "a moment with its time zone such as `2026-12-01T00:00+09:00`",
    _moment,
    {"type": "string", "format": "date-time"},
)
# --- actions, rules, file ----------------------------------------------------------------------------------


def _default_message(names: Collection[str] | None) -> Key:
    """`message` may be left out where there is a general text for invites."""
    one = named("a text of an invite", names)
    several = ListOf("a list of 2 to 8 texts of invites", one, 8, str, least=2)
    return Key(
        Either(Made(one, lambda name: (name,)), several), required=names is not None and "invite" not in names
    )


def _invite(queue: str, skills: tuple[str, ...] = (), message: tuple[str, ...] = ("invite",)) -> Invite:
    return Invite(queue, skills, message[0], message[1:])


def action(names: Names) -> OneKey[Action]:
    """One action of `then`."""
    invite = Fields(
        "invite",
        _invite,
        {
            "queue": Key(named("a queue of the site", names.queues), required=True),
            "skills": Key(ListOf("a list of skills", SKILL)),
            "message": _default_message(names.messages),
        },
    )
    variants: dict[str, Shape[Action]] = {
        "invite": invite,
        "offer": Made(named("an offer of the site", names.offers), GiveOffer),
        "article": Made(named("an article of the site", names.articles), ShowArticle),
        "notice": Made(named("a text of a notice", names.notices), Notice),
    }
    return OneKey("an action", variants)


def also(names: Names) -> OneKey[Also]:
    """One of what always runs with a decision."""
    variants: dict[str, Shape[Also]] = {
        "tag": Made(ID, Tag),
        "webhook": Made(named("a webhook of the site", names.webhooks), Webhook),
    }
    return OneKey("a tag or webhook", variants)


_CAPS: Final = {
    "per_session": Key(whole(0, 1000)),
    "per_visitor": Key(CAP_RATE),
    "not_before": Key(NOT_BEFORE, name="not_before_ms"),
}
_DEFAULT_CAPS: Final = {**_CAPS, "rest_after_dismissal": Key(REST, name="rest_after_dismissal_ms")}
_DATES: Final = {"from": Key(MOMENT, name="from_ms"), "until": Key(MOMENT, name="until_ms")}


def _in_order(dates: Dates) -> Dates:
    begin, end = dates.from_ms, dates.until_ms
    if (begin is None and end is None) or (begin is not None and end is not None and begin >= end):
        raise ValueError
    return dates


def rule(names: Names) -> Fields[Entry]:
    """One rule."""
    return Fields(
        "a rule",
        Entry,
        {
            "id": Key(ID, required=True),
            "priority": Key(whole(0, 1000)),
            "when": Key(Whole(Again("condition", lambda: condition(names))), required=True),
            "then": Key(ListOf("a list of actions", action(names), 8), required=True),
            "caps": Key(Fields("a rule's caps", Caps, _CAPS)),
            "holdout": Key(SHARE),
            "also": Key(ListOf("a list of tags and webhooks", also(names), 8)),
            "mode": Key(Choice("a mode", ("live", "shadow", "off"))),
            "rollout": Key(SHARE),
            "valid": Key(VALID, name="valid_ms"),
            "patience": Key(PATIENCE, name="patience_ms"),
            "dates": Key(
                Made(Fields("dates", Dates, _DATES), _in_order, "`from` before `until`, or one of them")
            ),
        },
    )


def _rule_id(entry: Entry) -> str:
    return entry.id


def rules_file(names: Names = ANY) -> Fields[RuleFile]:
    """A whole rules file; without a site's names any name is taken."""
    defaults = {"caps": Key(Fields("default caps", DefaultCaps, _DEFAULT_CAPS)), "holdout": Key(SHARE)}
    site = {"holdout": Key(SHARE, required=True)}
    return Fields(
        "a rules file",
        RuleFile,
        {
            "version": Key(VERSION, required=True),
            "defaults": Key(Fields("defaults", Defaults, defaults)),
            "site": Key(Fields("site", _site_holdout, site), name="site_holdout"),
            "rules": Key(ListOf("a list of rules", rule(names), MAX_RULES, _rule_id), required=True),
        },
    )


def _site_holdout(holdout: float) -> float:
    return holdout


def load(file: str, text: str, names: Names = ANY) -> RuleFile:
    """A rules file's text as data. Raises FileErrors with every fault."""
    return parse(file, text, rules_file(names))


def schema() -> Json:
    """The JSON Schema (draft 2020-12) of rules files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Router rules, version 1",
        **rules_file().schema(),
        "$defs": {"condition": condition(ANY).schema()},
    }
