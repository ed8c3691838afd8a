import { useMemo, useSyncExternalStore } from "react";
import { useChatClient } from "../react/index.js";
import type { Conversation, Readable } from "../types.js";

const none: Readable<null> = { subscribe: () => () => {}, getSnapshot: () => null };

/** A conversation as it is now; null while it is not known. */
export function useConversation(id: string): Conversation | null {
  const client = useChatClient();
  const source: Readable<Conversation | null> = useMemo(() => client?.conversation(id) ?? none, [client, id]);
  return useSyncExternalStore(source.subscribe, source.getSnapshot, none.getSnapshot);
}

/** The other side of a conversation of two. */
export function peerOf(conversation: Conversation | null, me: string | undefined): string | undefined {
  if (conversation?.kind !== "direct") return undefined;
  return conversation.members.find(({ userId }) => userId !== me)?.userId;
}
