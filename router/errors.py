"""Every error by name, and one table of what it means on each edge.

Code raises `Refused("name")`; only the edges turn the name into an HTTP status or a close code.
The range of a close code tells a client what to do: 4000-4099 do not come back, 4100-4199 come back
after a jittered delay, 4200-4299 come back with a new session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one named error means: HTTP status, WebSocket close code (0: the socket stays open), may retry?"""

    status: int
    close: int
    retry: bool
    text: str


ERRORS: Final[dict[str, Meaning]] = {
    # the shopper's socket: the client is at fault, coming back as it is would not help
    "bad_frame": Meaning(400, 4000, False, "A frame that is not a message of this protocol."),
    "text_frame": Meaning(400, 1003, False, "Frames are binary."),
    "frame_too_big": Meaning(413, 1009, False, "A frame larger than the bound."),
    "fragmented": Meaning(400, 4000, False, "Messages come in one frame each."),
    "hello_expected": Meaning(400, 4001, False, "The first message has to be hello, and only the first."),
    "bad_version": Meaning(400, 4002, False, "This protocol version is not spoken here."),
    "unknown_site": Meaning(404, 4004, False, "No site has this id."),
    "bad_origin": Meaning(403, 4005, False, "The page's origin is not on the site's list."),
    "page_forgotten": Meaning(
        409, 0, False, "The page is older than the sixteen that the session remembers."
    ),
    "no_conversation": Meaning(404, 0, False, "No such conversation, or the secret does not fit."),
    "not_yours": Meaning(403, 0, False, "The conversation belongs to somebody else."),
    "too_late": Meaning(409, 0, False, "The state has moved on: a deadline passed, or somebody was faster."),
    "blocked": Meaning(403, 0, False, "This shopper was blocked for a while."),
    "full": Meaning(409, 0, False, "A bound was reached: the conversation or the agent can take no more."),
    # the shopper's socket: come back, with jitter
    "elsewhere": Meaning(503, 4100, True, "Another process owns this session; it will be free soon."),
    "fenced": Meaning(503, 4101, True, "Another process took the session over."),
    "overloaded": Meaning(503, 4102, True, "Too much at once; try again later."),
    "slow_reader": Meaning(503, 4103, True, "The client did not read what was sent to it."),
    "unavailable": Meaning(503, 4104, True, "The store cannot be reached at the moment."),
    "restarting": Meaning(503, 4105, True, "The service is restarting."),
    "silent": Meaning(408, 4106, True, "No hello, or no pong, in time."),
    # come back, but as somebody new
    "bad_token": Meaning(401, 4200, True, "The session token was not signed here; drop it and start anew."),
    "forgotten": Meaning(410, 4201, True, "The shopper withdrew consent: what was known is gone."),
    # agents and HTTP
    "bad_request": Meaning(400, 4000, False, "The request is not of the documented form."),
    "bad_signature": Meaning(401, 4003, False, "The signature does not fit the body and the time."),
    "unauthorized": Meaning(401, 4003, False, "Log in first."),
    "bad_login": Meaning(401, 4003, False, "Login or password is wrong."),
    "bad_ticket": Meaning(
        401, 4003, False, "The socket ticket is unknown, used or expired; fetch a new one."
    ),
    "csrf": Meaning(403, 4003, False, "The request does not carry this session's CSRF token."),
    "forbidden": Meaning(403, 4003, False, "The role does not allow this."),
    "bad_method": Meaning(405, 4000, False, "This address does not take this method."),
    "not_found": Meaning(404, 4004, False, "There is nothing at this address."),
    "failed": Meaning(500, 4102, True, "Something went wrong here; it was logged."),
    "too_large": Meaning(413, 1009, False, "The request is larger than the bound."),
    "too_many": Meaning(429, 4102, True, "Too many requests; try again later."),
    "conflict": Meaning(409, 0, False, "The same key was used for something else."),
    # offers
    "unknown_code": Meaning(404, 0, False, "No offer has this code."),
    "redeemed": Meaning(409, 0, False, "The code was redeemed before."),
    "expired": Meaning(410, 0, False, "The code has expired."),
}


class Refused(Exception):
    """A named refusal; `name` is a key of `ERRORS`, `detail` is for the reader and never echoes secrets."""

    def __init__(self, name: str, detail: str = "") -> None:
        self.name = name
        self.meaning = ERRORS[name]
        self.detail = detail or self.meaning.text
        super().__init__(f"{name}: {self.detail}")


class StartError(Exception):
    """The service cannot start; the text is one clear sentence for the person at the terminal."""
