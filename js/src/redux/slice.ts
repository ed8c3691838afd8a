import { createSlice, type PayloadAction, type Slice } from "@reduxjs/toolkit";
import { type ChatFields, emptyFields } from "../projection/state.js";

/** @inline */
type Reducers = {
  /** What the client shows: dispatched by `connectRedux`, and by nobody else. */
  shown: (state: ChatFields, action: PayloadAction<Partial<ChatFields>>) => ChatFields;
  /** Opens a conversation, and makes it the current one; null: there is none. */
  setCurrentConversation: (state: ChatFields, action: PayloadAction<string | null>) => ChatFields;
  clearMessageError: (state: ChatFields) => ChatFields;
};

/**
 * The slice in which a client is shown: `configureStore({ reducer: { chat: chatSlice.reducer } })`. It stays empty until
 * `connectRedux(chat, store)`.
 */
export const chatSlice: Slice<ChatFields, Reducers, "chat"> = /* @__PURE__ */ createSlice({
  name: "chat",
  initialState: emptyFields,
  // No reducer writes into its draft: rows that did not change stay the client's own objects.
  reducers: {
    shown: (state: ChatFields, { payload }: PayloadAction<Partial<ChatFields>>) => ({ ...state, ...payload }),
    setCurrentConversation: (state: ChatFields, { payload }: PayloadAction<string | null>) => ({
      ...state,
      currentConversationId: payload,
    }),
    clearMessageError: (state: ChatFields) => ({ ...state, messageError: null }),
  },
}) as Slice<ChatFields, Reducers, "chat">;
