"""The `companion` vocabulary (WIRES.md C1 to C6, D8), as ../companion.mjs has it."""

import time
from datetime import datetime, timezone

from wire import Refused, Wire, invalid, is_integer


class Companion(Wire):
    capabilities = {"keys": True, "cursor": False, "orderedWindow": False, "receipts": True}

    def __init__(self, plain, prefix):
        super().__init__(plain, prefix)
        self.records = {}
        self.keys = {}
        self.last_id = 0
        self.last_ms = 0

    def admit(self, auth):
        name = self.faults.user_of(auth.get("token"))
        if not is_integer(auth.get("user_id")):
            raise invalid("user_id", "an integer")
        if str(auth["user_id"]) != name:
            raise Refused("AuthError", "user_id is not the token's user")
        return name

    def place(self, user, payload):
        if not is_integer(payload.get("user_id")) or str(payload["user_id"]) != user:
            raise invalid("user_id", "the integer of the token's user")
        girl_id = payload.get("girl_id")
        if not (is_integer(girl_id) or (isinstance(girl_id, str) and girl_id)):
            raise invalid("girl_id", "a name or a number")
        return girl_id

    def on_send(self, user, payload):
        girl_id = self.place(user, payload)
        content = payload.get("content")
        if not isinstance(content, str) or not content:
            raise invalid("content", "a text")
        key = payload.get("client_id")
        self.faults.around(lambda quietly: self.store(user, girl_id, content, key, quietly))

    def store(self, user, girl_id, content, key, quietly):
        keyed = None if self.plain or key is None else (user, key)
        if keyed in self.keys:
            return
        record = self.add(user, girl_id, {"content": content, "sender": "user"})
        if keyed:
            record["client_id"] = key
            self.keys[keyed] = record
        if not quietly:
            self.tell(user, "message_received", {"message": dict(record)})

    def on_typing(self, user, payload):
        self.place(user, payload)
        if not isinstance(payload.get("is_typing"), bool):
            raise invalid("is_typing", "a boolean")

    def on_read(self, user, payload):
        girl_id = self.place(user, payload)
        ids = payload.get("message_ids")
        if not isinstance(ids, list) or not all(is_integer(id) for id in ids):
            raise invalid("message_ids", "a list of integers")
        for record in self.log(user, girl_id):
            if record["sender"] == "girl" and record["id"] in ids:
                record["read"] = True

    def on_photo(self, user, payload):
        girl_id = self.place(user, payload)
        url = f"https://photos.example/{girl_id}.png"
        self.tell(user, "photo_generated", {"girl_id": girl_id, "photo_url": url})

    def add(self, user, girl_id, rest):
        """Each has a millisecond of its own: their times are all that orders them at the client (D13)."""
        self.last_id += 1
        self.last_ms = max(time.time_ns() // 1_000_000, self.last_ms + 1)
        at = datetime.fromtimestamp(self.last_ms / 1000, timezone.utc).isoformat(timespec="milliseconds")
        timestamp = at.replace("+00:00", "Z")
        record = {"id": self.last_id, "girl_id": girl_id, "timestamp": timestamp, "type": "text", **rest}
        self.log(user, girl_id).append(record)
        return record

    # ── for the tests ──

    def log(self, user, girl_id):
        return self.records.setdefault((user, girl_id), [])

    def says(self, user, girl_id, content, rest=None):
        record = self.add(user, girl_id, {"content": content, "sender": "girl", **(rest or {})})
        self.tell(user, "message_received", {"message": dict(record)})
        return record

    def types(self, user, girl_id, is_typing):
        self.tell(user, "typing", {"girl_id": girl_id, "is_typing": is_typing})

    def reads(self, user, girl_id, message_id):
        self.tell(user, "message_read", {"message_id": message_id, "girl_id": girl_id})

    events = {
        "send_message": on_send,
        "typing_indicator": on_typing,
        "mark_read": on_read,
        "request_photo": on_photo,
    }
