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
AGENT_SESSION_TTL_S: Final = 12 * 3600
TICKET_TTL_S: Final = 30

FOREVER: Final = ("r:{site}:agents", "r:{site}:agent:*", "f:{site}:*", "j:{n}")


# --- session: slot {sid} -----------------------------------------------------------------------------------


def owner(sid: str) -> str:
    """Hash: `node`, `token`, and `p:<page id>` for each open page. TTL as the session's."""
    return f"o:{{{sid}}}"


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
    """Sorted set of what was shown to a visitor: member = decision id and rule, score = moment. TTL 90 days."""
    return f"v:{{{site}:{vid}}}:shown"


# --- routing: slot {site} ----------------------------------------------------------------------------------


def routing(site: str, name: str) -> str:
    """Everything of a site's routing lives in one slot, so that one script is one atomic transition."""
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


# --- this service ------------------------------------------------------------------------------------------


def beat(node: str) -> str:
    """A process is alive while this key exists. TTL 3 s."""
    return f"b:{node}"


def journal(shard: int) -> str:
    """Stream of decisions, exposures, outcomes and routing. Bounded in length."""
    return f"j:{{{shard}}}"


def wake(node: str) -> str:
    """Pub/sub channel on which other processes wake this one; carries no truth."""
    return f"w:{node}"


def agent_session(token_hash: str) -> str:
    """A logged-in agent's web session, by the hash of its cookie. TTL 12 h."""
    return f"u:{{{token_hash}}}"


def ticket(ticket_hash: str) -> str:
    """A one-use socket ticket, by its hash. TTL 30 s."""
    return f"t:{{{ticket_hash}}}"
