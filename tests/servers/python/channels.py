"""The `channels` vocabulary (WIRES.md H2 to H7), as ../channels.mjs has it."""

from wire import Refused, Wire, invalid

WHOLE = ["id", "content", "channelId", "userId", "createdAt"]


class Channels(Wire):
    capabilities = {"keys": True, "cursor": False, "orderedWindow": True, "receipts": True}

    def __init__(self, plain, prefix):
        super().__init__(plain, prefix)
        self.messages = {}

    def admit(self, auth):
        try:
            name = self.faults.user_of(auth.get("token"))
        except Refused:
            raise Refused("auth_failed", "jwt expired") from None
        if auth.get("userId") != name:
            raise Refused("connection_error", "userId is not the token's user")
        return name

    def refuse(self, refused):
        return {"success": False, "error": "message_failed" if self.plain else refused.as_json()}

    def on_send(self, user, payload):
        return self.faults.around(lambda quietly: self.store(user, payload, quietly))

    def store(self, user, payload, quietly):
        for field in WHOLE:
            if not isinstance(payload.get(field), str) or not payload[field]:
                raise invalid(field, "a text")
        if payload["userId"] != user:
            raise invalid("userId", "the token's user")
        held = self.messages.get(payload["id"])
        if held and any(held["message"][field] != payload[field] for field in WHOLE):
            raise invalid("id", "new: it was used for another message")
        if held:
            answer = {"success": True, "data": held["message"]}
            return answer if self.plain else {**answer, "duplicate": True}
        self.messages[payload["id"]] = {"message": payload, "delivered": [], "read": []}
        self.tell(None, "message:new", payload, beside=user if quietly else None)
        return {"success": True, "data": payload}

    def mark(self, kind, user, payload):
        held = self.messages.get(payload.get("messageId"))
        if not held:
            raise Refused("NotFoundError", "message not found")
        if user not in held[kind]:
            held[kind].append(user)
        self.tell(held["message"]["userId"], f"message:{kind}", {"messageId": payload["messageId"]})
        return {"success": True}

    # ── for the tests ──

    def log(self, channel_id):
        held = [held for held in self.messages.values() if held["message"]["channelId"] == channel_id]
        return [{**one["message"], "delivered": one["delivered"], "read": one["read"]} for one in held]

    events = {
        "message:send": on_send,
        "message:delivered": lambda self, *call: self.mark("delivered", *call),
        "message:read": lambda self, *call: self.mark("read", *call),
    }
