import { useSyncExternalStore } from "react";
import { useSession } from "./context.js";
import type { Session } from "./session.js";
import {
  type Chat,
  ChatStore,
  type Connection,
  ConnectionStore,
  type Conversations,
  ConversationsStore,
} from "./stores.js";

type Stores = {
  chats: Map<string | undefined, ChatStore>;
  connection: ConnectionStore;
  active: ConversationsStore;
  archived: ConversationsStore;
};

// One store for all components that show the same: one window on a conversation, one snapshot.
const storesOf = new WeakMap<Session, Stores>();

function useStores(): Stores & { session: Session } {
  const session = useSession();
  let stores = storesOf.get(session);
  if (!stores) {
    stores = {
      chats: new Map(),
      connection: new ConnectionStore(session),
      active: new ConversationsStore(session, false),
      archived: new ConversationsStore(session, true),
    };
    storesOf.set(session, stores);
  }
  return { ...stores, session };
}

/**
 * A conversation, live: its messages, who is typing, how the connection is, and what one can do. Without an id no
 * conversation is open.
 */
export function useChat(conversationId?: string): Chat {
  const { chats, session } = useStores();
  let store = chats.get(conversationId);
  if (!store) {
    store = new ChatStore(session, conversationId);
    chats.set(conversationId, store);
  }
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}

/** The connection as it is now. */
export function useConnection(): Connection {
  const { connection } = useStores();
  return useSyncExternalStore(connection.subscribe, connection.getSnapshot, connection.getServerSnapshot);
}

/** The conversations as a list shows them: pinned first, then by their newest message. */
export function useConversations({ archived = false }: { archived?: boolean } = {}): Conversations {
  const stores = useStores();
  const store = archived ? stores.archived : stores.active;
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}
