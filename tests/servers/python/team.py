"""The `team` vocabulary (WIRES.md T1 to T5) and as much of its REST as these need (T6 to T8, T10, T13), as ../team.mjs has it."""

import base64
import binascii
from datetime import datetime, timezone
from urllib.parse import parse_qs

from wire import Refused, Wire, invalid

RANK = {"sent": 0, "delivered": 1, "read": 2}
STATUS = {"ValidationError": 400, "AuthError": 401, "ForbiddenError": 403, "NotFoundError": 404, "ConflictError": 409}


def now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


class Team(Wire):
    capabilities = {"keys": True, "cursor": True, "orderedWindow": False, "receipts": True}

    def __init__(self, plain, prefix):
        super().__init__(plain, prefix)
        self.prefix = f"{prefix}/api"
        self.conversations = {}
        self.messages = {}
        self.keys = {}

    def admit(self, auth):
        return self.faults.user_of(auth.get("token"))

    def refuse(self, refused):
        return {"success": False, "error": refused.message if self.plain else refused.as_json()}

    # ── events ──

    def on_send(self, user, payload):
        data, duplicate = self.faults.around(lambda quietly: self.store(user, payload, quietly))
        return {"success": True, "data": data, **({"duplicate": True} if duplicate else {})}

    def store(self, user, payload, quietly):
        conversation = self.conversation(user, payload.get("conversationId"))
        content = payload.get("contentEncrypted")
        try:
            base64.b64decode(content, validate=True)
        except (TypeError, binascii.Error):
            raise invalid("contentEncrypted", "base64") from None
        key = None if self.plain else payload.get("clientMessageId")
        if key is not None and (user, key) in self.keys:
            return self.row(self.keys[user, key], user), True
        message = {
            "id": f"m{len(self.messages) + 1}",
            "sender_id": user,
            "content_encrypted": content,
            "conversation_id": conversation["id"],
            "message_type": payload.get("message_type", "text"),
            "created_at": now(),
            "seq": len(conversation["messages"]) + 1,
            "client_message_id": key,
            "status": "sent",
        }
        conversation["messages"].append(message)
        self.messages[message["id"]] = message
        if key is not None:
            self.keys[user, key] = message
        for member in conversation["members"]:
            if not (quietly and member == user):
                self.tell(member, "chat:message_received", self.row(message, member))
        return self.row(message, user), False

    def mark(self, status, user, payload):
        message = self.messages.get(payload.get("messageId"))
        if not message:
            raise Refused("NotFoundError", "message not found")
        if RANK[status] > RANK[message["status"]]:
            message["status"] = status
        told = {"messageId": message["id"], "status": status, "userId": user, "timestamp": now()}
        for member in self.conversations[message["conversation_id"]]["members"]:
            self.tell(member, "chat:message_status_updated", told)

    def on_typing(self, user, payload):
        conversation = self.conversation(user, payload.get("conversationId"))
        told = {"userId": user, "username": user, "isTyping": payload.get("isTyping") is True, "timestamp": now()}
        if not self.plain:
            told["conversationId"] = conversation["id"]
        for member in conversation["members"]:
            if member != user:
                self.tell(member, "chat:user_typing", told)

    def on_presence(self, status, user, _payload):
        told = {"userId": user, "status": status, "timestamp": now()}
        peers = {name for one in self.conversations.values() if user in one["members"] for name in one["members"]}
        for peer in peers - {user}:
            self.tell(peer, "user:status_changed", told)

    # ── REST ──

    def rest(self, scope, body):
        try:
            headers = dict(scope["headers"])
            user = self.faults.user_of(headers.get(b"authorization", b"").decode().removeprefix("Bearer "))
            path = scope["path"].removeprefix(self.prefix).strip("/").split("/")
            query = {name: int(values[0]) for name, values in parse_qs(scope["query_string"].decode()).items()}
            return 200, self.answer(scope["method"], path, user, body, query)
        except Refused as refused:
            return STATUS.get(refused.code, 500), {"error": refused.as_json()}

    def answer(self, method, path, user, body, query):
        if method == "GET" and path == ["conversations"]:
            mine = [self.view(one) for one in self.conversations.values() if user in one["members"]]
            return {"conversations": mine, "has_more": False}
        if method == "GET" and path[0] == "conversations":
            return self.view(self.conversation(user, path[1]))
        if method == "POST" and path == ["conversations", "direct"]:
            return self.create("direct", None, [user, body["user_id"]])
        if method == "POST" and path == ["conversations", "group"]:
            return self.create("group", body["title"], [user, *body["participant_ids"]])
        if method == "GET" and path[0] == "messages":
            return self.page(user, path[1], **query)
        if method == "POST" and path[0] == "messages" and path[-1] == "status":
            return self.mark(body["status"], user, {"messageId": path[1]}) or {}
        raise Refused("NotFoundError", "no such path")

    def page(self, user, conversation_id, limit=50, offset=0, after=None):
        messages = self.conversation(user, conversation_id)["messages"]
        if after is not None and not self.plain:
            rest = [one for one in messages if one["seq"] > after]
            return {"messages": [self.row(one, user) for one in rest[:limit]], "has_more": len(rest) > limit}
        end = max(0, len(messages) - offset)
        start = max(0, end - limit)
        return {"messages": [self.row(one, user) for one in messages[start:end]], "has_more": start > 0}

    def create(self, kind, title, members):
        members = list(dict.fromkeys(members))
        if kind == "direct" and any(
            one["type"] == kind and set(one["members"]) == set(members) for one in self.conversations.values()
        ):
            raise Refused("ConflictError", "the direct conversation exists already")
        conversation = {"id": f"c{len(self.conversations) + 1}", "type": kind, "title": title}
        conversation.update(created_at=now(), members=members, messages=[])
        self.conversations[conversation["id"]] = conversation
        for member in [] if self.plain else members:
            self.tell(member, "chat:conversation_updated", {"conversation": self.view(conversation)})
        return self.view(conversation)

    def conversation(self, user, id):
        conversation = self.conversations.get(id)
        if not conversation:
            raise Refused("NotFoundError", "conversation not found")
        if user not in conversation["members"]:
            raise Refused("ForbiddenError", "not a participant of this conversation")
        return conversation

    def view(self, conversation):
        participants = [{"user_id": name, "username": name, "role": "member"} for name in conversation["members"]]
        rest = {name: value for name, value in conversation.items() if name not in ("members", "messages")}
        last = {} if self.plain else {"last_seq": len(conversation["messages"])}
        return {**rest, "participants": participants, **last}

    def row(self, message, viewer):
        ours = ["seq", "client_message_id"]
        row = {name: value for name, value in message.items() if name not in ours}
        if self.plain:
            return row
        row["seq"] = message["seq"]
        if viewer == message["sender_id"]:
            row["client_message_id"] = message["client_message_id"]
        return row

    # ── for the tests ──

    def log(self, conversation_id):
        return self.conversations[conversation_id]["messages"]

    events = {
        "chat:message_send": on_send,
        "chat:message_delivered": lambda self, *call: self.mark("delivered", *call),
        "chat:message_read": lambda self, *call: self.mark("read", *call),
        "chat:typing": on_typing,
        "presence:online": lambda self, *call: self.on_presence("online", *call),
        "presence:offline": lambda self, *call: self.on_presence("offline", *call),
    }
