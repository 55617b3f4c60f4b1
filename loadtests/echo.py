"""The yardstick: a bare picows echo on uvloop. `python -m loadtests.echo` prints its port and serves until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import signal

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server


class Echo(WSListener):
    """Sends every binary frame back."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """picows: a frame came."""
        if frame.msg_type == WSMsgType.BINARY:
            transport.send(WSMsgType.BINARY, frame.get_payload_as_memoryview())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()


def _listener(request: WSUpgradeRequest) -> Echo:
    return Echo()


async def serve() -> None:
    """Serve on a free loopback port, said on stdout, until SIGTERM."""
    server = await ws_create_server(_listener, "127.0.0.1", 0)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    gc.collect()
    gc.freeze()
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
