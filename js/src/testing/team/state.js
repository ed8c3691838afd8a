// What the team backend knows: users, conversations, messages, keys. In memory, without any network.
//
// `plain` is the original backend: whatever WIRES.md marks **ours** (keys, seq, `after`, replies, metadata, tombstones)
// is neither kept nor shown.
import { forbidden, invalid, notFound, TeamError } from "./errors.js";

const messageTypes = ["text", "image", "file", "voice"];
const rank = { sent: 0, delivered: 1, read: 2 };
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export class TeamState {
  #conversations = new Map();
  #messages = new Map();
  #keys = new Map();

  #newId;

  /**
   * @param {object} options
   * @param {boolean} [options.plain]
   * @param {string} [options.duplicates] the answer to a known key: "answer" (the first one again) or "conflict" (D3)
   * @param {(kind: "conversation" | "message") => string} [options.newId] gives the id of the next one
   */
  constructor({ plain = false, duplicates = "answer", newId = () => crypto.randomUUID() } = {}) {
    this.#newId = newId;
    this.plain = plain;
    this.duplicates = duplicates;
  }

  // ── conversations (T6 to T9) ──────────────────────────────────────────────

  createDirect(me, userId) {
    requireText(userId, "user_id");
    if (userId === me) throw invalid("user_id", "a direct conversation has two participants");
    for (const conversation of this.#conversations.values()) {
      if (conversation.type === "direct" && this.isIn(conversation, me) && this.isIn(conversation, userId)) {
        const details = this.plain ? {} : { conversation_id: conversation.id };
        throw new TeamError("ConflictError", "the direct conversation exists already", details);
      }
    }
    return this.#create("direct", null, [member(me, "member"), member(userId, "member")]);
  }

  createGroup(me, title, participantIds) {
    requireText(title, "title");
    if (!Array.isArray(participantIds) || participantIds.length === 0) {
      throw invalid("participant_ids", "a group has two participants or more");
    }
    for (const id of participantIds) requireText(id, "participant_ids");
    const others = [...new Set(participantIds)].filter((id) => id !== me);
    return this.#create("group", title, [member(me, "admin"), ...others.map((id) => member(id, "member"))]);
  }

  conversationsOf(me) {
    return [...this.#conversations.values()].filter((c) => this.isIn(c, me));
  }

  conversation(me, id) {
    const conversation = this.#conversations.get(id);
    if (!conversation) throw notFound("conversation");
    if (!this.isIn(conversation, me)) throw forbidden("not a participant of this conversation");
    return conversation;
  }

  addParticipant(me, id, userId) {
    const conversation = this.#group(me, id);
    requireText(userId, "user_id");
    if (this.isIn(conversation, userId)) throw new TeamError("ConflictError", "a participant already");
    if (roleOf(conversation, me) === "member") throw forbidden("a member cannot add participants");
    conversation.participants.push(member(userId, "member"));
    return conversation;
  }

  removeParticipant(me, id, userId) {
    const conversation = this.#group(me, id);
    if (!this.isIn(conversation, userId)) throw notFound("participant");
    if (me !== userId && roleOf(conversation, me) === "member")
      throw forbidden("a member cannot remove others");
    conversation.participants = conversation.participants.filter((p) => p.user_id !== userId);
    return conversation;
  }

  isIn(conversation, userId) {
    return conversation.participants.some((p) => p.user_id === userId);
  }

  // ── messages (T3, T10 to T13) ─────────────────────────────────────────────

  /** Stores a message, or finds the one that its sender stored under the same key (D3). */
  send(me, { conversationId, content, key, type = "text", replyTo = null, metadata = null, createdAt }) {
    const conversation = this.conversation(me, requireText(conversationId, "conversationId"));
    if (typeof content !== "string" || content === "" || !base64.test(content)) {
      throw invalid("contentEncrypted", "must be non-empty base64");
    }
    if (!messageTypes.includes(type)) throw invalid("message_type", `one of ${messageTypes.join(", ")}`);
    const print = JSON.stringify([conversationId, content, type, replyTo, metadata]);
    const keyed = this.plain || key === undefined ? null : `${me} ${requireText(key, "client_message_id")}`;
    if (keyed && this.#keys.has(keyed)) return this.#duplicate(this.#keys.get(keyed), print, key);

    const message = {
      id: this.#newId("message"),
      sender_id: me,
      content_encrypted: content,
      conversation_id: conversationId,
      message_type: type,
      created_at: createdAt ?? new Date().toISOString(),
      seq: ++conversation.lastSeq,
      client_message_id: keyed ? key : null,
      reply_to: replyTo,
      metadata,
      receipts: new Map(),
      edited_at: null,
      deleted_at: null,
      reactions: [],
    };
    conversation.messages.push(message);
    this.#messages.set(message.id, message);
    if (keyed) this.#keys.set(keyed, { message, print });
    return { message, duplicate: false };
  }

  /** T10: oldest first in a page, `offset` counted from the newest; `after` where offered gives seq > after. */
  page(me, id, { limit = 50, offset = 0, after }) {
    const { messages } = this.conversation(me, id);
    if (after !== undefined && !this.plain) {
      const rest = messages.filter((m) => m.seq > after);
      return { messages: rest.slice(0, limit), has_more: rest.length > limit };
    }
    const end = Math.max(0, messages.length - offset);
    const start = Math.max(0, end - limit);
    return { messages: messages.slice(start, end), has_more: start > 0 };
  }

  edit(me, id, content) {
    const message = this.#own(me, id);
    if (typeof content !== "string" || !base64.test(content))
      throw invalid("content_encrypted", "must be base64");
    message.content_encrypted = content;
    message.edited_at = new Date().toISOString();
    return message;
  }

  remove(me, id) {
    const message = this.#own(me, id);
    message.deleted_at = new Date().toISOString();
    message.content_encrypted = "";
    if (this.plain) {
      const conversation = this.conversation(me, message.conversation_id);
      conversation.messages = conversation.messages.filter((m) => m !== message);
      this.#messages.delete(id);
    }
    return message;
  }

  /** T14: forward only for each reader, and never by the sender. `changed` says if there is something to tell. */
  mark(me, id, status) {
    const message = this.message(me, id);
    if (!(status in rank) || status === "sent") throw invalid("status", "delivered or read");
    if (message.sender_id === me) throw forbidden("the sender cannot mark an own message");
    if (rank[status] <= rank[message.receipts.get(me) ?? "sent"]) return { message, changed: false };
    message.receipts.set(me, status);
    return { message, changed: true };
  }

  react(me, id, emoji) {
    const message = this.message(me, id);
    requireText(emoji, "emoji");
    if (message.reactions.some((r) => r.user_id === me && r.emoji === emoji))
      return { message, changed: false };
    message.reactions.push({ user_id: me, emoji });
    return { message, changed: true };
  }

  unreact(me, id, emoji) {
    const message = this.message(me, id);
    const rest = message.reactions.filter((r) => r.user_id !== me || r.emoji !== emoji);
    if (rest.length === message.reactions.length) throw notFound("reaction");
    message.reactions = rest;
    return message;
  }

  message(me, id) {
    const message = this.#messages.get(id);
    if (!message) throw notFound("message");
    this.conversation(me, message.conversation_id);
    return message;
  }

  /** Everything stored in a conversation, in the server's order: for assertions. */
  log(conversationId) {
    const messages = this.#conversations.get(conversationId)?.messages ?? [];
    return messages.map(({ receipts, ...message }) => ({ ...message, status: furthest(receipts) }));
  }

  /** The ids of all conversations, oldest first. */
  get conversationIds() {
    return [...this.#conversations.keys()];
  }

  // ── what a user may see ───────────────────────────────────────────────────

  /** The payload of `chat:message_received`: T4 to the letter, with the keys for its sender only. */
  received(message, viewer) {
    const { id, sender_id, content_encrypted, conversation_id, message_type, created_at } = message;
    const row = { id, sender_id, content_encrypted, conversation_id, message_type, created_at };
    if (this.plain) return row;
    row.seq = message.seq;
    if (viewer === sender_id && message.client_message_id) row.client_message_id = message.client_message_id;
    if (message.reply_to !== null) row.reply_to = message.reply_to;
    if (message.metadata !== null) row.metadata = message.metadata;
    return row;
  }

  /** A row of the history: the same and what has become of it since. */
  row(message, viewer) {
    const { receipts, edited_at, deleted_at, reactions } = message;
    const row = { ...this.received(message, viewer), status: furthest(receipts), reactions: [...reactions] };
    if (edited_at) row.edited_at = edited_at;
    if (deleted_at) row.deleted_at = deleted_at;
    if (!this.plain) {
      row.delivered_to = [...receipts.keys()];
      row.read_by = [...receipts].filter(([, status]) => status === "read").map(([userId]) => userId);
    }
    return row;
  }

  view(conversation, viewer) {
    const { id, type, title, created_at, participants, messages } = conversation;
    const last = messages.at(-1);
    const isUnread = (m) => m.sender_id !== viewer && m.receipts.get(viewer) !== "read";
    const seqs = messages.filter((m) => m.receipts.get(viewer) === "read").map((m) => m.seq);
    return {
      id,
      type,
      title,
      created_at,
      participants: participants.map((p) => ({ ...p })),
      last_message: last ? this.row(last, viewer) : null,
      unread_count: messages.filter(isUnread).length,
      ...(!this.plain && { last_seq: conversation.lastSeq, last_read_seq: Math.max(0, ...seqs) }),
    };
  }

  // ── helpers ───────────────────────────────────────────────────────────────

  #create(type, title, participants) {
    const id = this.#newId("conversation");
    const created_at = new Date().toISOString();
    const conversation = { id, type, title, created_at, participants, messages: [], lastSeq: 0 };
    this.#conversations.set(id, conversation);
    return conversation;
  }

  #group(me, id) {
    const conversation = this.conversation(me, id);
    if (conversation.type !== "group")
      throw invalid("id", "a direct conversation has exactly two participants");
    return conversation;
  }

  #own(me, id) {
    const message = this.message(me, id);
    if (message.sender_id !== me) throw forbidden("not your message");
    return message;
  }

  #duplicate({ message, print: first }, print, key) {
    if (first !== print) throw invalid("client_message_id", "this key was used for another message");
    if (this.duplicates === "conflict") {
      throw new TeamError("ConflictError", "the message exists already", { client_message_id: key });
    }
    return { message, duplicate: true };
  }
}

/** The status that a sender sees: the furthest of any reader. */
function furthest(receipts) {
  return [...receipts.values()].reduce((a, b) => (rank[b] > rank[a] ? b : a), "sent");
}

function member(userId, role) {
  return { user_id: userId, username: userId, role };
}

function roleOf(conversation, userId) {
  return conversation.participants.find((p) => p.user_id === userId)?.role;
}

function requireText(value, field) {
  if (typeof value !== "string" || value === "") throw invalid(field, "must be a non-empty string");
  return value;
}
