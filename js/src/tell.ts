import type { Event, EventOf } from "./core.js";
import type { Emitter } from "./emitter.js";
import { ChatError, describe } from "./errors.js";
import { webAddress } from "./oauth.js";
import { presenceOf } from "./snapshots.js";
import type { ChatEvents, ConnectionSnapshot } from "./types.js";

type Untold = "done" | "refused" | "view" | "guarantees" | "wire";

const badConsent =
  "a message asks for consent (oauth_required), and its metadata.authUrl is no http or https address: it was not opened";

/** The public events by name, for whoever listens to one that there is not. */
export const EVENTS: Record<keyof ChatEvents, true> = {
  message: true,
  messageUpdated: true,
  messageDeleted: true,
  status: true,
  typing: true,
  presence: true,
  reaction: true,
  conversation: true,
  conversationRemoved: true,
  connection: true,
  connected: true,
  disconnected: true,
  reconnecting: true,
  phase: true,
  error: true,
  authError: true,
  protocolError: true,
  storageDegraded: true,
  gap: true,
  oauthRequired: true,
  leader: true,
};

/** The name of an event that there is: a misspelt one would never be heard. */
export function eventName<E extends keyof ChatEvents>(name: E): E {
  if (typeof name === "string" && Object.hasOwn(EVENTS, name)) return name;
  const got = typeof name === "string" ? JSON.stringify((name as string).slice(0, 60)) : describe(name);
  const there = Object.keys(EVENTS).join(", ");
  throw new ChatError(
    "validation",
    `there is no event ${got}: there are ${there}; the backend's own by chat.wire.on()`,
  );
}

/** Tells the application what the core has told, under the names of the public events. */
export class Teller {
  #connection: ConnectionSnapshot | undefined;

  constructor(private readonly emitter: Emitter<ChatEvents>) {}

  tell(event: Exclude<Event, { type: Untold }>): void {
    const { emitter } = this;
    switch (event.type) {
      case "message":
        emitter.emit("message", event.message, { live: event.live, leader: event.leader });
        if (event.live) this.#tellConsent(event);
        break;
      case "messageUpdated":
        emitter.emit("messageUpdated", event.message);
        break;
      case "messageDeleted":
      case "reaction":
        emitter.emit(event.type, { conversationId: event.conversationId, rowKey: event.rowKey });
        break;
      case "status": {
        const { conversationId, rowKey, status, failure } = event;
        emitter.emit("status", { conversationId, rowKey, status, failure });
        break;
      }
      case "typing": {
        const { conversationId, userId, typing } = event;
        emitter.emit("typing", { conversationId, userId, typing });
        break;
      }
      case "presence":
        emitter.emit("presence", presenceOf(event));
        break;
      case "conversation":
        emitter.emit("conversation", event.conversation);
        break;
      case "conversationRemoved":
      case "gap":
        emitter.emit(event.type, { conversationId: event.conversationId });
        break;
      case "connection":
        this.#tellConnection(event.connection);
        break;
      case "phase":
        emitter.emit("phase", event.phase);
        break;
      case "error":
      case "authError":
        emitter.emit(event.type, ChatError.from(event.error));
        break;
      case "protocolError":
        emitter.emit("protocolError", { message: event.message, excerpt: event.excerpt });
        break;
      case "storageDegraded":
        emitter.emit("storageDegraded", { message: event.message, persistent: event.persistent });
        break;
      case "leader":
        emitter.emit("leader", event.leader);
        break;
    }
  }

  /** A11: the backend wants somebody's consent to something. What another user writes asks for nothing. */
  #tellConsent({ message, leader }: EventOf<"message">): void {
    const { type, sender, metadata } = message;
    if (type !== "oauth_required" || (sender !== "ai" && sender !== "system")) return;
    const isObject = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
    const address = webAddress(isObject ? metadata.authUrl : undefined);
    if (address) this.emitter.emit("oauthRequired", { authUrl: address.href, message, leader });
    else this.emitter.emit("error", new ChatError("protocol", badConsent));
  }

  #tellConnection(next: ConnectionSnapshot): void {
    const last = this.#connection;
    this.#connection = next;
    this.emitter.emit("connection", next);
    const [was, is] = [last?.state === "online", next.state === "online"];
    if (is && !was) this.emitter.emit("connected", { socketId: next.socketId });
    if (was && !is) this.emitter.emit("disconnected", { reason: next.reason });
    // A tab that waits for another tab's socket has nothing to retry.
    if (next.state === "waiting" && next.retryInMs !== null) {
      this.emitter.emit("reconnecting", { attempt: next.attempt, retryInMs: next.retryInMs });
    }
  }
}
