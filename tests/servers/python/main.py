"""python-socketio on uvicorn, in memory, for tests: main.py --wire companion|channels|team [--plain] [--prefix /PATH]"""

import argparse
import asyncio
import socket
import sys

import uvicorn

from channels import Channels
from companion import Companion
from team import Team
from wire import RecordedProtocol

WIRES = {"channels": Channels, "companion": Companion, "team": Team}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wire", choices=sorted(WIRES), required=True)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--prefix", default="")
    args = parser.parse_args()
    listening = socket.create_server(("127.0.0.1", 0))
    app = WIRES[args.wire](args.plain, args.prefix).app()
    config = uvicorn.Config(app, ws=RecordedProtocol, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    asyncio.get_running_loop().create_task(until_left_alone(server))
    port = listening.getsockname()[1]
    print(f"python server listening on http://127.0.0.1:{port}{args.prefix}", flush=True)
    await server.serve(sockets=[listening])


async def until_left_alone(server):
    """It ends with whoever has started it, whatever ends them."""
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    server.force_exit = True


asyncio.run(main())
