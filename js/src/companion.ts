// What a companion's application does beyond sending texts, by the names of its own guide (C10, C11). One place for the
// hook and the facade.
import type { ChatClient } from "./client.js";
import { check, unlessClosed } from "./errors.js";
import { type Id, textId, wireId, withNewestRow } from "./ids.js";
import type { Draft, Json, Message } from "./types.js";

/** What a companion's application does, by the names of its guide. Ids may be numbers. */
export type CompanionActions = {
  /** Resolves with the message when it is on disk; rejects with `ChatError` where it is refused. */
  readonly sendMessage: (conversationId: Id, content: string | Draft) => Promise<Message>;
  /** To be called at every key: it is throttled, and stops 2 s after the last one (C9). */
  readonly setTyping: (conversationId: Id, isTyping: boolean) => void;
  /** The newest of these messages and everything before it is read. */
  readonly markAsRead: (conversationId: Id, messageIds: readonly Id[]) => Promise<void>;
  /**
   * Asks for a photo; it comes as `chat.wire.on('photo_generated')` (C3). Not queued: offline it rejects. An id that is a number at
   * the backend is given as a number.
   */
  readonly requestPhoto: (conversationId: Id, context?: Json) => Promise<void>;
};

type Asked = Pick<
  ChatClient,
  "userId" | "send" | "setTyping" | "markRead" | "timeline" | "connection" | "on"
> & {
  readonly wire: Pick<ChatClient["wire"], "send">;
};

/** `ready` gives the client as soon as there is one, `now` the one that there is. */
export function companionActions(ready: () => Promise<Asked>, now: () => Asked | null): CompanionActions {
  return {
    sendMessage: async (conversationId, content) =>
      (await ready()).send(textId("conversationId", conversationId), content),
    setTyping: (conversationId, isTyping) =>
      unlessClosed(() => now()?.setTyping(textId("conversationId", conversationId), isTyping)),
    markAsRead: async (conversationId, messageIds) => {
      const id = textId("conversationId", conversationId);
      if (messageIds.length === 0) return;
      const client = await ready();
      await withNewestRow(client, id, messageIds, (rowKey) => client.markRead(id, rowKey));
    },
    requestPhoto: async (conversationId, context) => {
      textId("conversationId", conversationId);
      const { userId, wire } = await ready();
      const about = context === undefined ? {} : { context: check.json("context", context) };
      // C7: their name for the conversation. C6: user ids are numbers on this wire.
      await wire.send("request_photo", { user_id: wireId(userId), girl_id: conversationId, ...about });
    },
  };
}
