"""Every key name, its slot tag and how long it lives. No key name stands anywhere else.

A key with a TTL says so; the others are on the list `FOREVER` and are bounded by what they hold.
"""

from __future__ import annotations

from typing import Final

SESSION_TTL_S: Final = 30 * 60
INBOX_TTL_S: Final = 30 * 60
CLAIM_TTL_S: Final = 300
CHAT_TTL_S: Final = 24 * 3600
BEAT_TTL_S: Final = 3
VISITOR_TTL_S: Final = 90 * 24 * 3600
ORDER_TTL_S: Final = 400 * 24 * 3600
GIVEN_S: Final = 24 * 3600
CODE_KEPT_S: Final = 30 * 24 * 3600
AGENT_SESSION_TTL_S: Final = 12 * 3600
TICKET_TTL_S: Final = 30
LOGIN_TRIES_TTL_S: Final = 15 * 60

FOREVER: Final = ("r:{site}:*", "f:{site}:budget:*", "k:{site}:*", "j:{n}", "j:{n}:behaviour")


# --- session: slot {sid} -----------------------------------------------------------------------------------


def owner(sid: str) -> str:
    """Hash: `node`, `token`, and `p:<node>:<page id>` for each open page. TTL as the session's."""
    return f"o:{{{sid}}}"


def open_page(node: str, page: str) -> str:
    """Field of an owner record. What a process that lost the session says late is then about its own pages."""
    return f"p:{node}:{page}"


def blob(sid: str, token: str) -> str:
    """The session's blob, at a name only the owner's token knows. TTL as the session's."""
    return f"s:{{{sid}}}:{token}"


def inbox(sid: str) -> str:
    """List of last batches that came by POST, oldest first. TTL as the session's."""
    return f"i:{{{sid}}}"


# --- visitor: slot {site:vid} ------------------------------------------------------------------------------


def visitor(site: str, vid: str) -> str:
    """Hash of what is known of a visitor across sessions. TTL 90 days."""
    return f"v:{{{site}:{vid}}}"


def caps(site: str, vid: str) -> str:
    """Sorted set of what a visitor was shown: member = "<decision>|<rule>", score = moment. TTL 90 days."""
    return f"v:{{{site}:{vid}}}:shown"


def claims(site: str, vid: str) -> str:
    """Sorted set of what is about to be shown: as `caps`, score = when the claim ends. TTL CLAIM_TTL_S."""
    return f"v:{{{site}:{vid}}}:claims"


def dismissals(site: str, vid: str) -> str:
    """Sorted set of the decisions a visitor dismissed, score = moment. TTL 90 days."""
    return f"v:{{{site}:{vid}}}:dismissed"


def visits(site: str, vid: str) -> str:
    """Sorted set of a visitor's latest session ids, score = moment: one session is one visit. TTL 90 days."""
    return f"v:{{{site}:{vid}}}:visits"


def talks(site: str, vid: str) -> str:
    """Hash of a visitor's latest ended conversations, id -> transcript. TTL 90 days."""
    return f"v:{{{site}:{vid}}}:talks"


def profile(site: str, vid: str) -> str:
    """Hash of what the shop's backend says of a visitor: orders, tier, score, attributes. TTL 90 days."""
    return f"v:{{{site}:{vid}}}:profile"


def visitor_orders(site: str, vid: str) -> str:
    """Set of a visitor's orders that were not cancelled. TTL 90 days."""
    return f"v:{{{site}:{vid}}}:orders"


def of_visitor(site: str, vid: str) -> tuple[str, ...]:
    """All keys of a visitor."""
    names = (visitor, caps, claims, dismissals, visits, talks, profile, visitor_orders)
    return tuple(name(site, vid) for name in names)


# --- routing: slot {site} ----------------------------------------------------------------------------------


def routing(site: str, name: str) -> str:
    """Everything of a site's routing lives in one slot, so that one script is one atomic transition.

    `lua/routing/common.lua` lists the names behind the prefix, which is what "" gives. They are bounded by what is
    open now, by the agents and by the rules' queues and skills; records of closed conversations have a TTL of 24 h.
    """
    return f"r:{{{site}}}:{name}"


def agents(site: str) -> str:
    """Set of the logins of a site's agents. Lives until removed."""
    return routing(site, "agents")


def agent(site: str, login: str) -> str:
    """Hash of one agent: name, argon2id hash, queues, skills, capacity, role, presence. Lives until removed."""
    return routing(site, f"agent:{login}")


# --- conversation: slot {cid} ------------------------------------------------------------------------------


def chat(cid: str) -> str:
    """Stream of a conversation's lines. TTL 24 h after the last one."""
    return f"c:{{{cid}}}"


def chat_ids(cid: str) -> str:
    """Hash client message id -> offset: the same id is stored once. TTL as the stream's."""
    return f"c:{{{cid}}}:ids"


# --- offers: slot {site} -----------------------------------------------------------------------------------


def offers(site: str, name: str) -> str:
    """Everything of a site's offers, codes, redemptions and orders in one slot."""
    return f"f:{{{site}}}:{name}"


def claimed(site: str, did: str) -> str:
    """The code made for a decision. TTL as the code's."""
    return offers(site, f"did:{did}")


def code(site: str, text: str) -> str:
    """Hash of one code; "" gives the prefix of all names. TTL: its life and CODE_KEPT_S."""
    return offers(site, f"code:{text}")


def budget(site: str, offer: str) -> str:
    """Sorted set of a campaign's codes, score = when the claim ends (inf once shown). "" gives the prefix."""
    return offers(site, f"budget:{offer}")


def given(site: str, offer: str, login: str) -> str:
    """Sorted set of what an agent gave of a campaign, score = moment. TTL 24 h after the last."""
    return offers(site, f"given:{offer}:{login}")


def order(site: str, order_id: str) -> str:
    """Hash of one order: state, money, session, code, each state's answer. TTL ORDER_TTL_S."""
    return offers(site, f"order:{order_id}")


# --- rules: slot {site} ------------------------------------------------------------------------------------


def rulebook(site: str) -> str:
    """Hash: the newest revision's number, and who stopped everything proactive. Lives until removed."""
    return f"k:{{{site}}}:rules"


def revision(site: str, number: str) -> str:
    """Hash of one published rules file; "" gives the prefix of all. Bounded: the newest 100 of a site are kept."""
    return f"k:{{{site}}}:revision:{number}"


# --- this service ------------------------------------------------------------------------------------------


def beat(node: str) -> str:
    """A process is alive while this key exists. TTL 3 s."""
    return f"b:{node}"


def journal(shard: int) -> str:
    """Stream of decisions, exposures, outcomes and routing. Bounded in length."""
    return f"j:{{{shard}}}"


def behaviour(shard: int) -> str:
    """Stream of what shoppers did, for trying rules on it. Bounded in bytes."""
    return f"j:{{{shard}}}:behaviour"


def wake(node: str) -> str:
    """Pub/sub channel on which other processes wake this one; carries no truth."""
    return f"w:{node}"


def wake_site(site: str) -> str:
    """Sharded pub/sub channel of a site's conversations and agents, in its routing slot; carries no truth."""
    return f"w:{{{site}}}"


def login_tries(about: str) -> str:
    """Counter of login tries, by the hash of a login or an address. TTL 15 min from the first."""
    return f"l:{{{about}}}"


def agent_session(token_hash: str) -> str:
    """A logged-in agent's web session, by the hash of its cookie. TTL 12 h."""
    return f"u:{{{token_hash}}}"


def ticket(ticket_hash: str) -> str:
    """A one-use socket ticket, by its hash. TTL 30 s."""
    return f"t:{{{ticket_hash}}}"
