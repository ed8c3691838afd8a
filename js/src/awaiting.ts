// The assistant's typing (A8): it begins when the user sends, and ends with the next message or failure. The core tells what
// the backend says of it; this puts the rest among what the core tells, so that every reader of `typing` hears the same.
import type { Event } from "./core.js";
import { forgetOldest } from "./oldest.js";

/** The conversation, and who answers in it. */
const assistant = "assistant";

/** More than can be on their way at once. */
const maxBegun = 1000;

export class Awaiting {
  /** The user has sent, and nothing has come of it yet. */
  #awaits = false;
  /** Row keys with which it began last: each begins it once, when it is stored or when it leaves. */
  readonly #begun = new Set<string>();
  /** As it was told last. */
  #typing = false;
  #online = false;

  readonly read = (event: Event): Event[] => {
    try {
      return this.#read(event);
    } catch {
      // What another tab's version has told may not be as expected.
      return [event];
    }
  };

  #read(event: Event): Event[] {
    switch (event.type) {
      case "connection": {
        const was = this.#online;
        this.#online = event.connection.state === "online";
        // What is lost with a connection does not come any more.
        return was && !this.#online ? [...this.#end(), event] : [event];
      }
      case "status":
        if (!this.#begins(event.rowKey, event.status)) {
          return event.status === "failed" ? [event, ...this.#end()] : [event];
        }
        this.#awaits = true;
        return [event, ...this.#tell(true)];
      case "message":
        return event.message.sender === "ai" ? [...this.#end(), event] : [event];
      case "error":
        return [event, ...this.#end()];
      case "typing":
        // Silence is no end while something is awaited.
        if (event.conversationId !== assistant || event.userId !== assistant) return [event];
        return event.typing || !this.#awaits ? this.#tell(event.typing) : [];
      default:
        return [event];
    }
  }

  /** Where it is sent at once as soon as it is stored, else as it leaves. */
  #begins(rowKey: string, status: string): boolean {
    if (status === "failed") this.#begun.delete(rowKey);
    if (!this.#online || (status !== "saved" && status !== "sent") || this.#begun.has(rowKey)) return false;
    this.#begun.add(rowKey);
    forgetOldest(this.#begun, maxBegun);
    return true;
  }

  #end(): Event[] {
    this.#awaits = false;
    return this.#tell(false);
  }

  #tell(typing: boolean): Event[] {
    if (this.#typing === typing) return [];
    this.#typing = typing;
    return [{ type: "typing", conversationId: assistant, userId: assistant, typing }];
  }
}
