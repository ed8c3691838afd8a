import type { ChatClient } from "../client.js";
import { Projection } from "../projection/projection.js";
import type { ChatFields } from "../projection/state.js";
import type { RootState } from "./selectors.js";
import { chatSlice } from "./slice.js";

/** What is asked of a Redux store. */
export type ReduxStore = {
  getState(): RootState;
  subscribe(listener: () => void): () => void;
  dispatch(action: { type: string; payload: Partial<ChatFields> }): unknown;
};

const { shown } = chatSlice.actions;

/**
 * Shows this client in a store, under `chat`, with one action for all that the client tells in one go. The function that it
 * gives lets the client go, and empties the slice; the client goes on.
 */
export function connectRedux(client: ChatClient, store: ReduxStore): () => void {
  let gathered: Partial<ChatFields> | undefined;
  const flush = () => {
    const fields = gathered;
    gathered = undefined;
    if (fields) store.dispatch(shown(fields));
  };
  const projection = new Projection(client, {
    get: () => ({ ...store.getState().chat, ...gathered }),
    set: (fields) => {
      // The client tells a batch in one task, without a pause between its events.
      if (!gathered) queueMicrotask(flush);
      gathered = { ...gathered, ...fields };
    },
  });
  projection.start();
  flush();

  let current: string | null = null;
  const follow = () => {
    const { currentConversationId } = store.getState().chat;
    if (currentConversationId === current) return;
    current = currentConversationId;
    projection.actions.setCurrentConversation(current);
  };
  const unsubscribe = store.subscribe(follow);
  follow();
  return () => {
    unsubscribe();
    projection.stop();
    flush();
  };
}
