// Changes of conversations as the wires tell them (D4): what the client shows of one changes with each of its messages, too.
import type { ChatClient } from "../client.js";
import type { Conversation } from "../types.js";

/** What such an event is about: no message, and nothing that is this user's own. */
function identityOf({ kind, title, avatarUrl, members }: Conversation): string {
  return JSON.stringify([kind, title, avatarUrl, members]);
}

/**
 * Tells a conversation that is new or another one than it was; one that is gone for this user without them. Those of the first list
 * are no news. What it gives takes its listeners off.
 */
export function followConversations(
  client: ChatClient,
  tell: (conversation: Conversation, isNew: boolean) => void,
): (() => void)[] {
  const known = new Map<string, Conversation>();
  let hasBeenLive = client.phase === "live";
  for (const archived of [false, true]) {
    for (const one of client.conversations({ archived }).getSnapshot()) known.set(one.id, one);
  }
  return [
    client.on("phase", (phase) => {
      // The list that makes it so is told in the same task, behind it.
      queueMicrotask(() => {
        hasBeenLive ||= phase === "live";
      });
    }),
    client.on("conversation", (conversation) => {
      const before = known.get(conversation.id);
      known.set(conversation.id, conversation);
      const isNews = before ? identityOf(before) !== identityOf(conversation) : hasBeenLive;
      if (isNews) tell(conversation, before === undefined);
    }),
    client.on("conversationRemoved", ({ conversationId }) => {
      const before = known.get(conversationId);
      known.delete(conversationId);
      if (!before) return;
      const members = before.members.filter(({ userId }) => userId !== client.userId);
      tell({ ...before, members }, false);
    }),
  ];
}
