"""What the backends here share: whom they let in, what they have heard, faults, and how a test asks for them."""

import asyncio
import json
import re

import socketio
from socketio.exceptions import ConnectionRefusedError
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol


class Refused(Exception):
    """A refusal that the client is told, where it is told anything."""

    def __init__(self, code, message, field=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field

    def as_json(self):
        told = {"code": self.code, "message": self.message}
        return {**told, "field": self.field} if self.field else told


def invalid(field, what):
    return Refused("ValidationError", f"{field} must be {what}", field)


class Cut(Exception):
    """This connection ends without a word."""


class Unanswered(Exception):
    """No answer is given."""


def is_integer(value):
    """As pydantic's strict mode: no text, no float, and no boolean."""
    return type(value) is int


class RecordedProtocol(WSProtocol):
    """Remembers connections by their client's address, so that one can be cut."""

    by_client = {}

    def connection_made(self, transport):
        super().connection_made(transport)
        self.by_client[self.client] = transport


class Faults:
    def __init__(self, drop):
        self.refusals = []
        self.connect_refusals = []
        self.plans = []
        self.revoked = set()
        self.drop = drop

    def refuseNext(self, times=1, code="ServerError", message="refused by a test"):
        self.refusals += [Refused(code, message)] * times

    def refuseConnect(self, times=1, code="AuthError", message="invalid token"):
        self.connect_refusals += [Refused(code, message)] * times

    def loseAck(self, times=1):
        self.plans += ["lose"] * times

    def dropBeforeStore(self, times=1):
        self.plans += ["before"] * times

    def dropAfterStore(self, times=1):
        self.plans += ["after"] * times

    def revoke(self, token):
        self.revoked.add(token)

    def dropSockets(self, user=None):
        return self.drop(user)

    def user_of(self, token):
        """`user:NAME`, with `#anything` behind it for a fresh token of the same user."""
        match = re.fullmatch(r"user:([^#]+)(#.*)?", token) if isinstance(token, str) else None
        if not match or token in self.revoked:
            raise Refused("AuthError", "invalid token")
        return match[1]

    def around(self, store):
        """`store(quietly)` as it is planned for the next message; quietly: its sender is not told of it."""
        if self.refusals:
            raise self.refusals.pop(0)
        plan = self.plans.pop(0) if self.plans else None
        if plan == "before":
            raise Cut
        answer = store(plan is not None)
        if plan == "after":
            raise Cut
        if plan == "lose":
            raise Unanswered
        return answer


class Wire:
    """A backend: `events` are methods `(user, payload) -> answer` by the names of their events."""

    capabilities = {}
    events = {}

    def __init__(self, plain, prefix):
        self.plain = plain
        self.sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*", logger=False)
        self.path = f"{prefix}/socket.io".lstrip("/")
        self.faults = Faults(self.drop)
        self.seen_auths = []
        self.seen_heard = []
        self.seen_refused = []
        self.clients = {}
        self.sio.on("connect", self.on_connect)
        self.sio.on("disconnect", self.on_disconnect)
        for event, handle in self.events.items():
            self.sio.on(event, self.handler(event, handle))
        self.sio.on("*", self.on_unknown)

    # ── for the subclasses ──

    def admit(self, auth):
        raise NotImplementedError

    def refuse(self, refused):
        """The answer to what was refused."""

    def tell(self, user, event, payload, beside=None):
        """To the sockets of one user, or of everybody beside one; the order is that of the calls."""
        room = None if user is None else f"user:{user}"
        skipped = [sid for sid, (name, _) in self.clients.items() if name == beside]
        telling = self.sio.emit(event, payload, room=room, skip_sid=skipped)
        asyncio.get_running_loop().create_task(telling)

    # ── for the tests ──

    def auths(self):
        return self.seen_auths

    def heard(self, event):
        return [payload for name, payload in self.seen_heard if name == event]

    def refused(self):
        return self.seen_refused

    def emit(self, user, event, payload):
        self.tell(user, event, payload)

    # ── the wire ──

    async def on_connect(self, sid, environ, auth):
        self.seen_auths.append(auth)
        try:
            if self.faults.connect_refusals:
                raise self.faults.connect_refusals.pop(0)
            user = self.admit(auth or {})
        except Refused as refused:
            raise ConnectionRefusedError(refused.message, {"code": refused.code}) from None
        client = environ["asgi.scope"]["client"]
        self.clients[sid] = (user, RecordedProtocol.by_client[tuple(client)])
        await self.sio.enter_room(sid, f"user:{user}")
        if not self.plain:
            # It leaves before the CONNECT reply: that is how this server does it.
            await self.sio.emit("chatwire:hello", {"capabilities": self.capabilities}, to=sid)

    async def on_disconnect(self, sid, *_):
        self.clients.pop(sid, None)

    async def on_unknown(self, event, _sid, payload=None):
        self.seen_refused.append({"event": event, "payload": payload, "why": "no such event"})

    def handler(self, event, handle):
        async def on_event(sid, payload=None):
            if sid not in self.clients:
                # What came in one piece with the frame at which it was cut is lost with it.
                return None
            user, transport = self.clients[sid]
            try:
                answer = handle(self, user, payload if isinstance(payload, dict) else {})
                self.seen_heard.append((event, payload))
                return answer
            except Refused as refused:
                self.seen_refused.append({"event": event, "payload": payload, "why": refused.message})
                return self.refuse(refused)
            except Unanswered:
                self.seen_heard.append((event, payload))
            except Cut:
                self.seen_heard.append((event, payload))
                self.clients.pop(sid)
                transport.abort()
            # An answer that never comes.
            await asyncio.Event().wait()

        return on_event

    def drop(self, user=None):
        chosen = [transport for name, transport in self.clients.values() if user in (None, name)]
        for transport in chosen:
            transport.abort()
        return len(chosen)

    def app(self):
        return socketio.ASGIApp(self.sio, other_asgi_app=self.serve, socketio_path=self.path)

    async def serve(self, scope, receive, send):
        """`POST /test/call {method, args}`: a method of this object, or of its faults."""
        if scope["type"] != "http":
            return
        body = await body_of(receive)
        # A browser asks first whether a page of another origin may.
        status, value = (200, {}) if scope["method"] == "OPTIONS" else await self.respond(scope, body)
        allowed = [(f"access-control-allow-{what}".encode(), b"*") for what in ("origin", "headers", "methods")]
        headers = [(b"content-type", b"application/json"), *allowed]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(value).encode()})

    async def respond(self, scope, body):
        if scope["path"] != "/test/call":
            return self.rest(scope, body)
        *owner, name = body["method"].split(".")
        return 200, {"value": getattr(self.faults if owner else self, name)(*body["args"])}

    def rest(self, _scope, _body):
        return 404, {"error": {"code": "NotFoundError", "message": "no such path"}}


async def body_of(receive):
    whole = b""
    while True:
        part = await receive()
        whole += part.get("body", b"")
        if not part.get("more_body"):
            return json.loads(whole or b"{}")
