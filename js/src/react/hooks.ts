import { useSyncExternalStore } from "react";
import type { Readable } from "../types.js";
import { useSession } from "./context.js";
import { PresenceStore, type Typing, TypingStore, type UserPresence } from "./people.js";
import type { Session } from "./session.js";
import type { SessionStore } from "./store.js";
import {
  type Chat,
  ChatStore,
  type Connection,
  ConnectionStore,
  type Conversations,
  ConversationsStore,
} from "./stores.js";
import {
  type WebSocketApi,
  type WebSocketStatus,
  WebSocketStatusStore,
  WebSocketStore,
} from "./websocket.js";

// One store for all components that show the same: one window on a conversation, one snapshot. It is kept while
// somebody looks at it.
const storesOf = new WeakMap<Session, Map<string, Readable<object>>>();

type Served<S> = Readable<S> & { readonly getServerSnapshot: () => S };

function useStore<S extends object>(key: string, make: (session: Session) => SessionStore<S>): S {
  const session = useSession();
  let stores = storesOf.get(session);
  if (!stores) {
    stores = new Map();
    storesOf.set(session, stores);
  }
  let store = stores.get(key) as Served<S> | undefined;
  if (!store) {
    const made = make(session);
    const kept = stores;
    made.onUnwatched = () => kept.get(key) === made && kept.delete(key);
    kept.set(key, made);
    store = made;
  }
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}

/**
 * A conversation, live: its messages, who is typing, how the connection is, and what one can do. Without an id
 * (undefined, null or empty) it is the profile's only one, an assistant's; with other profiles no conversation is open then.
 */
export function useChat(conversationId?: string | null): Chat {
  const id = conversationId || undefined;
  return useStore(id ? `chat:${id}` : "chat", (session) => new ChatStore(session, id));
}

/** The connection as it is now. */
export function useConnection(): Connection {
  return useStore("connection", (session) => new ConnectionStore(session));
}

/** The conversations as a list shows them: pinned first, then by their newest message. */
export function useConversations({ archived = false }: { archived?: boolean } = {}): Conversations {
  return useStore(`conversations:${archived}`, (session) => new ConversationsStore(session, archived));
}

/** Who else is typing in a conversation, and what says that this user does. Nobody while there is no id. */
export function useTyping(conversationId: string | null | undefined): Typing {
  const id = conversationId ?? "";
  return useStore(`typing:${id}`, (session) => new TypingStore(session, id));
}

/** Whether somebody is there, by user id. Not while there is no id. */
export function usePresence(userId: string | null | undefined): UserPresence {
  const id = userId ?? "";
  return useStore(`presence:${id}`, (session) => new PresenceStore(session, id));
}

/** The connection and what one can do on it, by the names of a companion's guide (C11). */
export function useWebSocket(): WebSocketApi {
  return useStore("websocket", (session) => new WebSocketStore(session));
}

/** The connection alone, for a component that shows nothing else of it (C11). */
export function useWebSocketStatus(): WebSocketStatus {
  return useStore("websocket-status", (session) => new WebSocketStatusStore(session));
}
