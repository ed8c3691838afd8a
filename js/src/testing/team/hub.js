// What both ways in (Socket.IO and REST) do with a change: carry it out, then tell the participants.

/** @param tell `(userId, event, payload)` reaches every socket of one user. */
export class Hub {
  constructor(state, faults, tell) {
    this.state = state;
    this.faults = faults;
    this.#tell = tell;
  }

  #tell;

  /**
   * Stores a message and broadcasts it, to its sender's sockets as well. `way` says how the caller answers or is cut:
   * `{answer(message, duplicate), cut()}`; refusals are thrown.
   */
  send(me, request, way) {
    const refusal = this.faults.takeRefusal();
    if (refusal) throw refusal;
    const plan = this.faults.takePlan();
    if (plan === "dropBefore") return way.cut();
    const { message, duplicate } = this.state.send(me, request);
    if (!duplicate) this.#received(me, message);
    if (plan === "dropAfter") return way.cut();
    if (plan === "lose") return;
    this.faults.answer(() => way.answer(this.state.row(message, me), duplicate));
  }

  /** Stores a message of somebody whom no fault is meant for, and broadcasts it. */
  say(me, request, answer) {
    const { message } = this.state.send(me, request);
    this.#received(me, message);
    answer(this.state.row(message, me));
  }

  mark(me, messageId, status) {
    const { message, changed } = this.state.mark(me, messageId, status);
    if (changed) {
      const payload = { messageId, status, userId: me, timestamp: new Date().toISOString() };
      this.#each(message.conversation_id, me, (userId) => {
        this.#tell(userId, "chat:message_status_updated", payload);
      });
    }
    return message;
  }

  typing(me, conversationId, isTyping) {
    const payload = {
      userId: me,
      username: me,
      isTyping: isTyping === true,
      timestamp: new Date().toISOString(),
    };
    if (!this.state.plain) payload.conversationId = conversationId;
    this.#each(conversationId, me, (userId) => {
      if (userId !== me) this.#tell(userId, "chat:user_typing", payload);
    });
  }

  /** Tells whoever shares a conversation with this user. */
  online(userId, isOnline) {
    const status = isOnline ? "online" : "offline";
    const payload = { userId, status, timestamp: new Date().toISOString() };
    const all = this.state.conversationsOf(userId).flatMap((c) => c.participants.map((p) => p.user_id));
    const peers = new Set(all);
    peers.delete(userId);
    for (const peer of peers) this.#tell(peer, "user:status_changed", payload);
  }

  /** D4 events: the plain backend has none of them. */
  updated(me, message) {
    if (this.state.plain) return;
    this.#each(message.conversation_id, me, (userId) => {
      this.#tell(userId, "chat:message_updated", this.state.row(message, userId));
    });
  }

  deleted(me, message) {
    if (this.state.plain) return;
    this.#each(message.conversation_id, me, (userId) => {
      this.#tell(userId, "chat:message_deleted", { messageId: message.id });
    });
  }

  reacted(me, message, emoji, op) {
    if (this.state.plain) return;
    this.#each(message.conversation_id, me, (userId) => {
      this.#tell(userId, "chat:reaction", { messageId: message.id, emoji, userId: me, op });
    });
  }

  /** @param also told as well: somebody who has just been removed. */
  conversationUpdated(conversation, also = []) {
    if (this.state.plain) return;
    const told = new Set([...conversation.participants.map((p) => p.user_id), ...also]);
    for (const userId of told) {
      this.#tell(userId, "chat:conversation_updated", {
        conversation: this.state.view(conversation, userId),
      });
    }
  }

  #received(me, message) {
    this.#each(message.conversation_id, me, (userId) => {
      this.#tell(userId, "chat:message_received", this.state.received(message, userId));
    });
  }

  #each(conversationId, me, act) {
    for (const { user_id } of this.state.conversation(me, conversationId).participants) act(user_id);
  }
}
