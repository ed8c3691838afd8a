// Wires name a message that was read by its id alone (T2, H5), and the client wants to know where it stands: what was heard of
// it tells, or a conversation in which something is unread.
import type { ChatClient } from "../client.js";
import { ChatError } from "../errors.js";
import { type Id, textId, withNewestRow } from "../ids.js";
import { forgetOldest } from "../oldest.js";

/** Messages whose conversation is remembered. */
const maxKnown = 2_000;
/** Conversations that are looked through, at most. */
const maxLooks = 20;

export class Receipts {
  readonly #conversationOf = new Map<string, string>();

  /** Remembers where messages stand. What it gives takes its listener off. */
  follow(client: ChatClient): () => void {
    return client.on("message", ({ id, conversationId }) => {
      if (id === null) return;
      this.#conversationOf.set(id, conversationId);
      forgetOldest(this.#conversationOf, maxKnown);
    });
  }

  /**
   * Everything up to this message is read, now or with the next connection. False where this device does not know it; at once where
   * there is nowhere to look, so that what is said instead stays in its order. `within`: its conversation, where the application
   * has said so.
   */
  read(client: ChatClient, messageId: Id, within?: unknown): false | Promise<boolean> {
    const id = textId("messageId", messageId);
    const places = this.#places(client, id, within);
    return places.size > 0 && this.#readIn(client, id, places);
  }

  async #readIn(client: ChatClient, id: string, places: ReadonlySet<string>): Promise<boolean> {
    for (const conversationId of places) {
      try {
        await withNewestRow(client, conversationId, [id], (rowKey) =>
          client.markRead(conversationId, rowKey),
        );
        return true;
      } catch (error) {
        if (!(error instanceof ChatError && error.code === "notFound")) throw error;
      }
    }
    return false;
  }

  /** Where it may stand. */
  #places(client: ChatClient, id: string, within: unknown): ReadonlySet<string> {
    const known = typeof within === "string" && within !== "" ? within : this.#conversationOf.get(id);
    if (known !== undefined) return new Set([known]);
    const all = client.conversations().getSnapshot();
    const last = all.filter(({ lastMessage }) => lastMessage?.id === id);
    const unread = all.filter(({ unread }) => unread > 0).slice(0, maxLooks);
    return new Set([...last, ...unread].map((conversation) => conversation.id));
  }
}
