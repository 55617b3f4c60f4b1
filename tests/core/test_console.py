"""router.core.console: only frames of the documented form pass, and every refusal can name its frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core import console
from router.core.chat import Line
from router.core.routing import Talk
from router.errors import Refused


@pytest.mark.parametrize(
    "text, frame",
    [
        ('{"t":"presence","ref":1,"state":"away"}', console.Presence(1, "away")),
        ('{"t":"accept","ref":2,"cid":"talk-0001"}', console.Accept(2, "talk-0001")),
        ('{"t":"decline","ref":3,"cid":"talk-0001"}', console.Decline(3, "talk-0001")),
        (
            '{"t":"say","ref":4,"cid":"talk-0001","mid":"m-000001","text":"hi","later":1}',
            console.Say(4, "talk-0001", "m-000001", "hi"),
        ),
        ('{"t":"typing","ref":5,"cid":"talk-0001","on":true}', console.Typing(5, "talk-0001", True)),
        ('{"t":"history","ref":6,"cid":"talk-0001","after":3}', console.History(6, "talk-0001", 3)),
        (
            '{"t":"presence","ref":2,"state":"break","reason":"lunch"}',
            console.Presence(2, "break", "lunch"),
        ),
        (
            '{"t":"transfer","ref":2,"cid":"talk-0001","to":{"agent":"bob"},"note":"n"}',
            console.Transfer(2, "talk-0001", console.Target(agent="bob"), "n"),
        ),
        (
            '{"t":"transfer","ref":2,"cid":"talk-0001","to":{"queue":"style"}}',
            console.Transfer(2, "talk-0001", console.Target(queue="style")),
        ),
        ('{"t":"take","ref":2,"cid":"talk-0001"}', console.Take(2, "talk-0001")),
        ('{"t":"assign","ref":2,"cid":"talk-0001","agent":"bob"}', console.Assign(2, "talk-0001", "bob")),
        (
            '{"t":"set_presence","ref":2,"agent":"bob","state":"away"}',
            console.SetPresence(2, "bob", "away"),
        ),
        ('{"t":"note","ref":7,"cid":"talk-0001","text":""}', console.Note(7, "talk-0001", "")),
        (
            '{"t":"close","ref":8,"cid":"talk-0001","disposition":"sold","note":"n"}',
            console.Close(8, "talk-0001", "sold", "n"),
        ),
    ],
)
def test_every_documented_frame_decodes(text: str, frame: console.Frame) -> None:
    assert console.decode(text) == frame


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "[]", "{}", '{"t":"fly","ref":1}', '{"t":"accept","cid":"talk-0001"}',
        '{"t":"accept","ref":1,"cid":"short"}',
        '{"t":"say","ref":1,"cid":"talk-0001","mid":"m-000001","text":""}',
        '{"t":"accept","ref":-1,"cid":"talk-0001"}', '{"t":"typing","ref":1,"cid":"talk-0001","on":"yes"}',
        "[" * 5000, '{"t":"note","ref":1,"cid":"talk-0001","text":"' + "x" * 4001 + '"}',
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(Refused) as refused:
        console.decode(text)
    assert refused.value.name == "bad_request"


def test_a_frame_larger_than_the_bound_is_refused_before_it_is_read() -> None:
    text = '{"t":"note","ref":1,"cid":"talk-0001","text":"' + "日" * 6000 + '"}'
    with pytest.raises(Refused) as refused:
        console.decode(text)
    assert refused.value.name == "frame_too_big"


@given(st.text(max_size=200))
def test_no_text_brings_more_than_a_refusal(text: str) -> None:
    console.ref_of(text)
    with pytest.raises(Refused):
        console.decode(text)


def test_the_refusal_of_a_spoilt_frame_names_its_ref_where_there_is_one() -> None:
    assert console.ref_of('{"t":"fly","ref":9}') == 9
    assert console.ref_of('{"ref":"nine"}') is None
    assert console.ref_of("nonsense") is None


def test_a_conversation_has_the_documented_fields() -> None:
    talk = Talk(
        cid="talk-0001", state="ringing", queue="help", sig="help|", secret="never sent", agent="ann",
        opened=5, deadline=9, card='{"who": {"language": "ja"}}',
    )  # fmt: skip
    line = Line(1, "shopper", "m-000001", "hi", 6)
    form = console.conversation(talk, 1, [line])
    assert form == {
        "cid": "talk-0001", "queue": "help", "state": "ringing", "agent": "ann", "opened_ms": 5, "offset": 1,
        "card": {"who": {"language": "ja"}}, "shopper_present": True, "note": "", "disposition": None,
        "deadline_ms": 9, "accepted_ms": None, "transfer": None, "why_agent": None,
        "tags": [], "fields": {},
        "messages": [
            {"offset": 1, "author": "shopper", "mid": "m-000001", "text": "hi", "at_ms": 6, "name": None,
             "card": None}
        ],
    }  # fmt: skip
    assert "messages" not in console.conversation(talk, 1)
    assert "never sent" not in str(form)


def test_a_conversation_says_who_passed_it_on_and_why_this_agent() -> None:
    talk = Talk(
        cid="talk-0001", state="active", queue="help", sig="help|ja", secret="s", agent="bob", accepted=7,
        why='["transfer",1,4000,2,900,"gold:3,ja"]', handed_by="Ann", handed_note="likes blue",
    )  # fmt: skip
    form = console.conversation(talk, 0)
    assert form["accepted_ms"] == 7
    assert form["transfer"] == {"from": "Ann", "note": "likes blue", "to": None}
    assert form["why_agent"] == {
        "kind": "transfer", "step": 1, "waited_ms": 4000, "load": 2, "idle_ms": 900, "skills": ["gold", "ja"],
    }  # fmt: skip
