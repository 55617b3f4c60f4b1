"""The second yardstick: an echo as most would write it, starlette on uvicorn and `websockets`.

`python -m loadtests.plain` prints its port and serves until SIGTERM.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from loadtests import yardstick


async def echo(socket: WebSocket) -> None:
    """Send every binary frame back."""
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        pass


app = Starlette(routes=[WebSocketRoute("/", echo)])

if __name__ == "__main__":
    yardstick.run(app)
