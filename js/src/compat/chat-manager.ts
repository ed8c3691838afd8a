// `ChatManager` of the Phoenix guide (WIRES.md P7, P9, P10).
import type { ChatClient } from "../client.js";
import { withNewestRow } from "../ids.js";
import type { Timeline } from "../timeline.js";
import type { Conversation, Draft, Message, Phase } from "../types.js";
import { Facade } from "./facade.js";
import { SocketService } from "./phoenix.js";

/** What a `ChatManager` tells, of all conversations. */
export type ChatManagerEvents = {
  message: [message: Message];
  messageUpdated: [message: Message];
  messageDeleted: [target: { conversationId: string; rowKey: string }];
  status: [change: { conversationId: string; rowKey: string; status: Message["status"] }];
  typing: [change: { conversationId: string; userId: string; typing: boolean }];
  /** Somebody has put an emoji on this message, or taken one off. */
  reaction: [target: { conversationId: string; rowKey: string }];
  conversation: [conversation: Conversation];
  conversationRemoved: [target: { conversationId: string }];
  /** What is shown, from the store alone, catching up, or live (P10). */
  phase: [phase: Phase];
};

const events: (keyof ChatManagerEvents)[] = [
  "message",
  "messageUpdated",
  "messageDeleted",
  "status",
  "typing",
  "reaction",
  "conversation",
  "conversationRemoved",
  "phase",
];

/** Conversations and their messages, by the names of the Phoenix guide. It shows what the client has, and holds nothing of it. */
export class ChatManager extends Facade<ChatManagerEvents> {
  readonly #of: () => Promise<ChatClient>;
  readonly #open = new Map<string, Timeline>();
  /** Whose windows are open. */
  #client: ChatClient | undefined;
  /** Takes off what notices its end. */
  #forget = () => {};
  #stops: (() => void)[] | undefined;

  /** Of this service, or of a client. */
  constructor(of: SocketService | ChatClient) {
    super(events);
    this.#of = of instanceof SocketService ? () => of.client() : async () => of;
  }

  /** Restores, then catches up, then goes live (P10): resolves when connected, and shows what is stored before. */
  async initialize(): Promise<void> {
    const client = await this.#ready();
    this.#stops ??= this.#watch(client);
    await client.connect();
  }

  /** Hears nothing any more, and closes what is open. The client goes on. */
  destroy(): void {
    for (const stop of this.#stops ?? []) stop();
    this.#stops = undefined;
    this.#closeAll();
    this.#forget();
    this.#client = undefined;
    this.removeAllListeners();
  }

  /** P9; empty before `initialize()`. */
  getConversations(): readonly Conversation[] {
    return (this.#stops && this.#client?.conversations().getSnapshot()) ?? [];
  }

  /** Joins its topic (P1), and shows its newest messages. */
  async openConversation(conversationId: string): Promise<void> {
    const client = await this.#ready();
    if (!this.#open.has(conversationId)) this.#open.set(conversationId, client.timeline(conversationId));
  }

  /** Gives its window back: `getMessages` is empty then. */
  closeConversation(conversationId: string): void {
    this.#open.get(conversationId)?.close();
    this.#open.delete(conversationId);
  }

  /** Those of an open conversation, in the server's order; empty while it is not open. */
  getMessages(conversationId: string): readonly Message[] {
    return this.#open.get(conversationId)?.getSnapshot().messages ?? [];
  }

  /** Calls `listener` after each change of what `getMessages` gives, until the function returned is called. */
  subscribe(conversationId: string, listener: () => void): () => void {
    return this.#open.get(conversationId)?.subscribe(listener) ?? (() => {});
  }

  /** Shows `count` earlier messages of an open conversation (50 by default). */
  async loadEarlier(conversationId: string, count?: number): Promise<void> {
    await this.#open.get(conversationId)?.loadEarlier(count);
  }

  /** Resolves when the message is on disk (P7). */
  async sendMessage(
    conversationId: string,
    content: string,
    rest: Omit<Draft, "text"> = {},
  ): Promise<Message> {
    return (await this.#ready()).send(conversationId, { text: content, ...rest });
  }

  /** Another text for a message; by its row key, as `deleteMessage`. */
  async editMessage(rowKey: string, content: string): Promise<void> {
    await (await this.#ready()).edit(rowKey, content);
  }

  /** Takes a message away from everybody. */
  async deleteMessage(rowKey: string): Promise<void> {
    await (await this.#ready()).remove(rowKey);
  }

  /** Everything up to this message is read (P7); by the server's id or the row key. */
  async markAsRead(conversationId: string, upTo: string): Promise<void> {
    const client = await this.#ready();
    await withNewestRow(client, conversationId, [upTo], (rowKey) => client.markRead(conversationId, rowKey));
  }

  /** To be called at every key: it is throttled, and stops by itself. */
  async setTyping(conversationId: string, isTyping: boolean): Promise<void> {
    (await this.#ready()).setTyping(conversationId, isTyping);
  }

  /** With another login the client is another one: nothing that the last user had open is shown any more. */
  async #ready(): Promise<ChatClient> {
    const client = await this.#of();
    if (this.#client === client) return client;
    this.#closeAll();
    this.#client = client;
    this.#forget();
    this.#forget = client.on("connection", ({ reason }) => reason === "closed" && this.#closeAll());
    for (const stop of this.#stops ?? []) stop();
    this.#stops &&= this.#watch(client);
    return client;
  }

  #closeAll(): void {
    for (const id of [...this.#open.keys()]) this.closeConversation(id);
  }

  #watch(client: ChatClient): (() => void)[] {
    const { emitter } = this;
    return [
      client.on("message", (message) => emitter.emit("message", message)),
      client.on("messageUpdated", (message) => emitter.emit("messageUpdated", message)),
      client.on("messageDeleted", (target) => emitter.emit("messageDeleted", target)),
      client.on("status", ({ conversationId, rowKey, status }) =>
        emitter.emit("status", { conversationId, rowKey, status }),
      ),
      client.on("typing", (change) => emitter.emit("typing", change)),
      client.on("reaction", (target) => emitter.emit("reaction", target)),
      client.on("conversation", (conversation) => emitter.emit("conversation", conversation)),
      client.on("conversationRemoved", (target) => emitter.emit("conversationRemoved", target)),
      client.on("phase", (phase) => emitter.emit("phase", phase)),
    ];
  }
}
