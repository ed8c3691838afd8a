// What the client tells, written into the store. The store has no other truth: what it shows of messages is what the windows of
// the client show, and goes with them.
import type { ChatClient } from "../client.js";
import { ChatError, toChatError } from "../errors.js";
import type { Timeline } from "../timeline.js";
import type { Message, Presence, Status } from "../types.js";
import {
  type ChatActions,
  type ChatFields,
  emptyFields,
  entry,
  keptList,
  keptRecord,
  withEntry,
  without,
} from "./state.js";

/** Conversations that stay open; of more, the one used longest ago is closed. */
const maxOpen = 8;
const maxPeople = 2_000;

type Store = { get(): ChatFields; set(fields: Partial<ChatFields>): void };

export class Projection {
  /** Those used last stand last. */
  readonly #windows = new Map<string, Timeline>();
  #stops: (() => void)[] = [];

  constructor(
    private readonly client: ChatClient,
    private readonly store: Store,
  ) {}

  start(): void {
    const { client, store } = this;
    const list = client.conversations();
    const showList = () => store.set({ conversations: list.getSnapshot() });
    this.#stops = [
      list.subscribe(showList),
      client.on("connection", () => this.#showOnline()),
      client.on("presence", (presence) => this.#showPresence(presence)),
      client.on("typing", ({ conversationId }) => this.#showTyping(conversationId)),
      client.on("status", ({ failure }) => failure && store.set({ messageError: failure.message })),
    ];
    showList();
    this.#showOnline();
    for (const { id, members } of list.getSnapshot()) {
      this.#showTyping(id);
      for (const { userId } of members) this.#showPresence(client.presence(userId));
    }
  }

  /** Follows the client no more, and gives its windows back. */
  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    for (const id of [...this.#windows.keys()]) this.#close(id);
    this.store.set(emptyFields);
  }

  readonly actions: ChatActions = {
    setCurrentConversation: (conversationId) => {
      try {
        if (conversationId !== null) this.#open(conversationId);
        this.store.set({ currentConversationId: conversationId });
      } catch (error) {
        this.#fail(error);
      }
    },
    sendMessage: (content, conversationId) =>
      this.#act(async () => {
        const message = await this.client.send(this.#idOf(conversationId), content);
        this.store.set({ messageError: null });
        return message;
      }),
    loadEarlier: async (conversationId) =>
      void (await this.#act(() => this.#open(this.#idOf(conversationId)).loadEarlier())),
    resendMessage: async (messageId) => void (await this.#act(() => this.client.resend(messageId))),
    discardMessage: async (messageId) => void (await this.#act(() => this.client.discard(messageId))),
    markAsRead: async (conversationId, messageId) =>
      void (await this.#act(async () => {
        const id = this.#idOf(conversationId);
        const target = messageId ?? entry(this.store.get().messageIdsInConversation, id)?.at(-1);
        if (target !== undefined) await this.client.markRead(id, target);
      })),
    setTyping: (typing, conversationId) => {
      const id = conversationId ?? this.store.get().currentConversationId;
      if (id !== null) void this.#act(async () => this.client.setTyping(id, typing));
    },
    clearMessageError: () => this.store.set({ messageError: null }),
  };

  async #act<T>(run: () => Promise<T>): Promise<T | null> {
    try {
      return await run();
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): null {
    this.store.set({ messageError: toChatError(error).message });
    return null;
  }

  #idOf(conversationId: string | undefined): string {
    const id = conversationId ?? this.store.get().currentConversationId;
    if (id === null) {
      throw new ChatError(
        "validation",
        "no conversation is open: call setCurrentConversation(id), or name one",
      );
    }
    return id;
  }

  #open(conversationId: string): Timeline {
    const there = this.#windows.get(conversationId);
    this.#windows.delete(conversationId);
    const timeline = there ?? this.client.timeline(conversationId);
    this.#windows.set(conversationId, timeline);
    if (!there) {
      timeline.subscribe(() => this.#showMessages());
      const [oldest] = this.#windows.keys();
      if (this.#windows.size > maxOpen && oldest !== undefined) this.#close(oldest);
      this.#showMessages();
    }
    return timeline;
  }

  #close(conversationId: string): void {
    this.#windows.get(conversationId)?.close();
    this.#windows.delete(conversationId);
  }

  /** Objects that did not change stay the same ones. */
  #showMessages(): void {
    const last = this.store.get();
    const byId: [string, Message][] = [];
    const idsIn: [string, readonly string[]][] = [];
    for (const [id, timeline] of this.#windows) {
      const { messages } = timeline.getSnapshot();
      const ids = messages.map(({ rowKey }) => rowKey);
      idsIn.push([id, keptList(entry(last.messageIdsInConversation, id), ids)]);
      for (const message of messages) byId.push([message.rowKey, message]);
    }
    const statuses = byId.map(([id, { status }]): [string, Status] => [id, status]);
    const optimistic = byId.flatMap(([id, message]) => (this.#isOptimistic(message) ? [id] : []));
    const optimisticMessageIds = keptList(last.optimisticMessageIds, optimistic);
    this.store.set({
      messagesById: keptRecord(last.messagesById, Object.fromEntries(byId)),
      messageStatusesById: keptRecord(last.messageStatusesById, Object.fromEntries(statuses)),
      messageIdsInConversation: keptRecord(last.messageIdsInConversation, Object.fromEntries(idsIn)),
      optimisticMessageIds,
      isSendingMessage: last.isOnline && optimisticMessageIds.length > 0,
    });
  }

  #isOptimistic({ sender, id, status }: Message): boolean {
    if (sender !== "me" || id !== null || status === "failed") return false;
    // Where a backend answers nothing, what has left is all there is to know.
    return status !== "sent" || this.client.guarantees.delivery !== "at-most-once";
  }

  #showOnline(): void {
    const isOnline = this.client.connection.state === "online";
    const isSendingMessage = isOnline && this.store.get().optimisticMessageIds.length > 0;
    this.store.set({ isOnline, isSendingMessage });
  }

  #showPresence(presence: Presence | null): void {
    if (!presence) return;
    const { userPresenceById } = this.store.get();
    this.store.set({
      userPresenceById: withEntry(userPresenceById, presence.userId, presence, maxPeople),
    });
  }

  #showTyping(conversationId: string): void {
    const { typingUsersInConversation: last } = this.store.get();
    const users = this.client.typing(conversationId);
    const next = users.length > 0 ? { ...last, [conversationId]: users } : without(last, conversationId);
    this.store.set({ typingUsersInConversation: keptRecord(last, next) });
  }
}
