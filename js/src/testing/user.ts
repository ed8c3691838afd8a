// Somebody at the backend whom the test plays: what they do reaches the clients as it would from another device.
import type { Json } from "../types.js";
import { encoded, type ReceivedMessage, type Row, receivedOf } from "./messages.js";
import type { Hub } from "./team/hub.js";

/** What else a message of a {@link TestUser} may have. */
export type Said = {
  type?: "text" | "image" | "file" | "voice";
  metadata?: Json;
  /** The id of the message that it answers. */
  replyTo?: string;
  /** ISO 8601; now. */
  createdAt?: string;
};

/** A participant without a client. */
export class TestUser {
  readonly #hub: Hub;

  /** @internal */
  constructor(
    hub: Hub,
    /** Their id at the backend. */
    readonly id: string,
  ) {
    this.#hub = hub;
  }

  /** Says something; whoever is connected hears it, and the others find it in the history. */
  send(conversationId: string, text: string, more: Said = {}): ReceivedMessage {
    let stored: Row | undefined;
    const answer = (row: Row) => {
      stored = row;
    };
    const request = { ...more, conversationId, content: encoded(text) };
    this.#hub.say(this.id, request, answer);
    return receivedOf(stored as unknown as Row);
  }

  /** Changes the text of an own message. */
  edit(messageId: string, text: string): ReceivedMessage {
    const message = this.#hub.state.edit(this.id, messageId, encoded(text));
    this.#hub.updated(this.id, message);
    return receivedOf(this.#hub.state.row(message, this.id) as Row);
  }

  /** Deletes an own message. */
  remove(messageId: string): void {
    this.#hub.deleted(this.id, this.#hub.state.remove(this.id, messageId));
  }

  /** Reacts to a message. */
  react(messageId: string, emoji: string): void {
    const { message, changed } = this.#hub.state.react(this.id, messageId, emoji);
    if (changed) this.#hub.reacted(this.id, message, emoji, "add");
  }

  /** Takes a reaction back. */
  unreact(messageId: string, emoji: string): void {
    this.#hub.reacted(this.id, this.#hub.state.unreact(this.id, messageId, emoji), emoji, "remove");
  }

  /** Has this message on a device. */
  receive(messageId: string): void {
    this.#hub.mark(this.id, messageId, "delivered");
  }

  /** Has read this message. */
  read(messageId: string): void {
    this.#hub.mark(this.id, messageId, "read");
  }

  /** Begins to type, or stops. */
  typing(conversationId: string, isTyping = true): void {
    this.#hub.typing(this.id, conversationId, isTyping);
  }

  /** Whoever shares a conversation with them is told so. */
  online(): void {
    this.#hub.online(this.id, true);
  }

  /** And that they have gone. */
  offline(): void {
    this.#hub.online(this.id, false);
  }
}
