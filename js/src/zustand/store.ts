import { createStore, type StoreApi, type UseBoundStore, useStore } from "zustand";
import type { ChatClient } from "../client.js";
import { Projection } from "../projection/projection.js";
import { type ChatActions, type ChatState, emptyFields } from "../projection/state.js";
import { useChatClient } from "../react/context.js";

/**
 * To be read and watched: what it shows is the client's, so nobody else writes into it.
 * @inline
 */
type Shown = Pick<StoreApi<ChatState>, "getState" | "getInitialState" | "subscribe">;

/** The store of one client, as a hook. */
export type ChatStore = UseBoundStore<Shown> & {
  /** Follows the client no more, and is empty then. The client goes on. */
  destroy(): void;
};

const storeOf = new WeakMap<ChatClient, ChatStore>();

/**
 * A store that shows this client, as a hook: `const useStore = createChatStore(chat)`, `useStore(selectCurrentMessages)`. It follows
 * the client until `destroy()`; until then the same client has the same store.
 */
export function createChatStore(client: ChatClient): ChatStore {
  const there = storeOf.get(client);
  if (there) return there;
  let projection: Projection | undefined;
  const { getState, getInitialState, subscribe } = createStore<ChatState>()((set, get) => {
    projection = new Projection(client, { get, set });
    return { ...emptyFields, ...projection.actions };
  });
  projection?.start();
  const shown: Shown = { getState, getInitialState, subscribe };
  const useBound = <T>(selector: (state: ChatState) => T = everything) => useStore(shown, selector);
  const destroy = () => {
    if (storeOf.get(client) === store) storeOf.delete(client);
    projection?.stop();
  };
  const store: ChatStore = Object.assign(useBound as UseBoundStore<Shown>, shown, { destroy });
  storeOf.set(client, store);
  return store;
}

function everything<T>(state: ChatState): T {
  return state as T;
}

const messageError = "useChatStore() needs a <ChatProvider> above it, whose client is there";
const refuse = (): null => {
  empty.setState({ messageError });
  return null;
};
const refused = async (): Promise<void> => void refuse();
const absent: ChatActions = {
  setCurrentConversation: (conversationId) => void (conversationId === null || refuse()),
  sendMessage: async () => refuse(),
  loadEarlier: refused,
  resendMessage: refused,
  discardMessage: refused,
  markAsRead: refused,
  setTyping: () => {},
  clearMessageError: () => empty.setState({ messageError: null }),
};
const empty = createStore<ChatState>()(() => ({ ...emptyFields, ...absent }));

/**
 * The store of the nearest provider's client: `useChatStore((state) => state.isOnline)`. It is empty on a server, and while the client
 * is not there.
 */
export function useChatStore(): ChatState;
/** The same, of what the selector gives. */
export function useChatStore<T>(selector: (state: ChatState) => T): T;
export function useChatStore<T>(selector: (state: ChatState) => T = everything): T {
  const client = useChatClient();
  return useStore<Shown, T>(client ? createChatStore(client) : empty, selector);
}
