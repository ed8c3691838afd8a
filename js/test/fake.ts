// A client without a core: the public interface of `ChatClient`, whose backend the test plays. For what the built wasm
// does not speak, and for what a real server cannot be made to do at a moment's notice.
import type { ChatClient } from "../src/client.js";
import { Emitter, Subscribers } from "../src/emitter.js";
import { ChatError } from "../src/errors.js";
import type {
  ChatEvents,
  ConnectionSnapshot,
  Conversation,
  Draft,
  Json,
  Message,
  Phase,
  Presence,
  SendOptions,
  TimelineSnapshot,
} from "../src/index.js";
import { Teller } from "../src/tell.js";
import { emptyTimeline } from "../src/timeline.js";

type Public<T> = { [K in keyof T]: T[K] };
type Interface = Omit<Public<ChatClient>, "wire"> & { wire: Public<ChatClient["wire"]> };

type Call = { name: string; args: unknown[] };

const since = "2026-01-01T00:00:00.000Z";

export class FakeChat implements Interface {
  readonly emitter = new Emitter<ChatEvents>();
  readonly #teller = new Teller(this.emitter);
  readonly #wireEmitter = new Emitter<Record<string, unknown[]>>();
  readonly #windows = new Map<string, { snapshot: TimelineSnapshot; subscribers: Subscribers }>();
  readonly #open = new Map<string, number>();
  readonly #list = new Subscribers();
  #conversations: readonly Conversation[] = [];
  readonly #typing = new Map<string, readonly string[]>();
  readonly #presences = new Map<string, Presence>();
  #sent = 0;
  /** Every call that would reach the backend, in order. */
  readonly calls: Call[] = [];
  queue: Message[] = [];
  context: Json = null;
  phase: Phase = "restored";
  readonly maxTextLength = 10_000;
  connection: ConnectionSnapshot = {
    state: "idle",
    reason: null,
    retryInMs: null,
    attempt: 0,
    since,
    socketId: null,
    leader: true,
  };
  readonly guarantees = {
    delivery: "at-most-once",
    order: false,
    gaps: "unseen",
    receipts: false,
    because: [],
  } as Interface["guarantees"];

  constructor(
    readonly profile = "companion",
    readonly userId = "7",
  ) {}

  /** As what takes a client sees it. */
  get client(): ChatClient {
    return this as unknown as ChatClient;
  }

  // ── what the test plays ───────────────────────────────────────────────────

  show(connection: Partial<ConnectionSnapshot>): void {
    this.connection = { ...this.connection, ...connection };
    this.#teller.tell({ type: "connection", connection: this.connection });
  }

  enter(phase: Phase): void {
    this.phase = phase;
    this.#teller.tell({ type: "phase", phase });
  }

  receive(message: Partial<Message>, live = true): Message {
    const whole = messageOf({ sender: "user", senderId: "other", status: "acknowledged", ...message });
    this.#put(whole);
    this.#teller.tell({ type: "message", message: whole, live, leader: true });
    return whole;
  }

  /** The reactions of a message that is there become others. */
  setReactions(conversationId: string, rowKey: string, reactions: Message["reactions"]): void {
    const message = this.#window(conversationId).snapshot.messages.find((m) => m.rowKey === rowKey);
    if (!message) throw new Error(`there is no ${rowKey}`);
    this.#put({ ...message, reactions });
    this.#teller.tell({ type: "reaction", conversationId, rowKey });
  }

  /** An own message moves on its ladder. */
  move(key: string | null, change: Partial<Message>): void {
    const queued = this.queue.find((message) => message.key === key);
    if (!queued) throw new Error(`nothing is queued as ${key}`);
    const next = { ...queued, ...change };
    const isDone = !["saving", "saved", "sent", "failed"].includes(next.status);
    this.queue = this.queue.flatMap((m) => (m.key === key ? (isDone ? [] : [next]) : [m]));
    this.#put(next);
    const { conversationId, rowKey, status, failure } = next;
    this.#teller.tell({ type: "status", conversationId, rowKey, status, failure });
  }

  setTypist(conversationId: string, userId: string, typing: boolean): void {
    const others = this.typing(conversationId).filter((id) => id !== userId);
    this.#typing.set(conversationId, typing ? [...others, userId] : others);
    this.#teller.tell({ type: "typing", conversationId, userId, typing });
  }

  setPresence(presence: Presence): void {
    this.#presences.set(presence.userId, presence);
    this.emitter.emit("presence", presence);
  }

  setConversations(...conversations: Partial<Conversation>[]): void {
    this.#conversations = conversations.map(conversationOf);
    this.#list.notify();
    for (const conversation of this.#conversations) this.emitter.emit("conversation", conversation);
  }

  tellWire(event: string, ...values: unknown[]): void {
    this.tellWireOn("", event, ...values);
  }

  tellWireOn(topic: string, event: string, ...values: unknown[]): void {
    if (event === "context") this.context = values[0] as Json;
    this.#wireEmitter.emit(event, ...values, { topic });
  }

  /** The backend waits for an answer (E7). */
  askWire(event: string, values: unknown[], answer: (...values: unknown[]) => void): void {
    this.#wireEmitter.emit(event, ...values, { topic: "", answer });
  }

  // ── the public interface ──────────────────────────────────────────────────

  readonly wire: Interface["wire"] = {
    on: (event, listener) => this.#wireEmitter.on(event, listener),
    once: (event, listener) => this.#wireEmitter.once(event, listener),
    off: (event, listener) => this.#wireEmitter.off(event, listener),
    removeAllListeners: (event) => this.#wireEmitter.removeAllListeners(event),
    listenerCount: (event) => this.#wireEmitter.listenerCount(event),
    join: async (...args) => this.#note("wire.join", args),
    leave: async (...args) => this.#note("wire.leave", args),
    send: async (...args) => {
      this.#note("wire.send", args);
      return null;
    },
    tell: () => {},
  };

  readonly on: Interface["on"] = (event, listener) => this.emitter.on(event, listener);
  readonly once: Interface["once"] = (event, listener) => this.emitter.once(event, listener);
  readonly off: Interface["off"] = (event, listener) => this.emitter.off(event, listener);
  readonly removeAllListeners: Interface["removeAllListeners"] = (event) =>
    this.emitter.removeAllListeners(event);
  readonly listenerCount: Interface["listenerCount"] = (event) => this.emitter.listenerCount(event);

  restored = async (): Promise<ChatClient> => this.client;

  async connect(): Promise<void> {
    this.#note("connect", []);
    this.show({ state: "online", reason: null, socketId: "socket-1" });
  }

  disconnect(): void {
    this.#note("disconnect", []);
    this.show({ state: "closed", reason: "disconnect", socketId: null });
  }

  async close(): Promise<void> {
    this.#note("close", []);
    this.show({ state: "closed", reason: "closed", socketId: null });
  }

  async send(
    conversationId: string,
    content: string | Draft,
    options: SendOptions | null = {},
  ): Promise<Message> {
    this.#note("send", [conversationId, content, options]);
    const draft = typeof content === "string" ? { text: content } : content;
    const key = options?.key ?? `k${++this.#sent}`;
    const known = this.queue.find((message) => message.key === key);
    if (known) return known;
    const own = { key, rowKey: key, conversationId, senderId: this.userId, sender: "me" } as const;
    const message = messageOf({
      ...own,
      status: "saved",
      text: draft.text,
      type: draft.type ?? "text",
      metadata: draft.metadata ?? null,
    });
    this.queue = [...this.queue, message];
    this.#put(message);
    return message;
  }

  async acknowledged(key: string | null): Promise<Message> {
    for (;;) {
      const message = [...this.#windows.values()]
        .flatMap(({ snapshot }) => snapshot.messages)
        .find((m) => m.key === key);
      if (message?.status === "failed") throw Object.assign(new Error("failed"), message.failure);
      if (message && !["saving", "saved", "sent"].includes(message.status)) return message;
      await new Promise<void>((resolve) => void this.once("status", () => resolve()));
    }
  }

  edit = async (...args: unknown[]): Promise<Message> => this.#changed("edit", args);
  remove = async (...args: unknown[]): Promise<Message> => this.#changed("remove", args);
  react = async (...args: unknown[]): Promise<Message> => this.#changed("react", args);
  unreact = async (...args: unknown[]): Promise<Message> => this.#changed("unreact", args);
  forward = async (...args: unknown[]): Promise<Message> => this.#changed("forward", args);
  cancel = async (...args: unknown[]): Promise<void> => this.#note("cancel", args);
  setDraft = async (...args: unknown[]): Promise<void> => this.#note("setDraft", args);
  wipe = async (): Promise<void> => this.#note("wipe", []);
  setTyping = (...args: unknown[]): void => this.#note("setTyping", args);
  outbox = async (): Promise<Message[]> => this.queue;
  presence = (userId: string): Presence | null => this.#presences.get(userId) ?? null;
  exportConversation = async (): Promise<string> => "";

  async markRead(conversationId: string, rowKey: string): Promise<void> {
    const { messages } = this.#window(conversationId).snapshot;
    // As the core does.
    const isShown = this.#open.has(conversationId) && messages.some((message) => message.rowKey === rowKey);
    if (!isShown) throw new ChatError("notFound", "no message with this row key is in an open window");
    this.#note("markRead", [conversationId, rowKey]);
  }

  async resend(key: string | null): Promise<void> {
    this.#note("resend", [key]);
    this.move(key, { status: "saved", failure: null });
  }

  async discard(key: string | null): Promise<void> {
    this.#note("discard", [key]);
    this.queue = this.queue.filter((message) => message.key !== key);
  }

  typing(conversationId: string): readonly string[] {
    return this.#typing.get(conversationId) ?? nobody;
  }

  timeline(conversationId: string): ReturnType<Interface["timeline"]> {
    this.#note("timeline", [conversationId]);
    this.#open.set(conversationId, (this.#open.get(conversationId) ?? 0) + 1);
    const window = this.#window(conversationId);
    const nothing = async () => {};
    return {
      conversationId,
      getSnapshot: () => window.snapshot,
      subscribe: (listener) => window.subscribers.add(listener),
      loadEarlier: nothing,
      loadLater: nothing,
      jumpTo: nothing,
      toNewest: nothing,
      fillGaps: nothing,
      close: () => {
        this.#note("timeline.close", [conversationId]);
        const left = (this.#open.get(conversationId) ?? 0) - 1;
        if (left > 0) this.#open.set(conversationId, left);
        else this.#open.delete(conversationId);
      },
    };
  }

  readonly #all = {
    getSnapshot: () => this.#conversations,
    subscribe: (listener: () => void) => this.#list.add(listener),
  };

  conversations = (): ReturnType<Interface["conversations"]> => this.#all;

  conversation(id: string): ReturnType<Interface["conversation"]> {
    const getSnapshot = () => this.#conversations.find((conversation) => conversation.id === id) ?? null;
    return { getSnapshot, subscribe: this.#all.subscribe };
  }

  async createDirect(userId: string): Promise<Conversation> {
    this.#note("createDirect", [userId]);
    return conversationOf({ id: `direct-${userId}` });
  }

  async createGroup(group: { title: string; members: readonly string[] }): Promise<Conversation> {
    this.#note("createGroup", [group]);
    return conversationOf({ id: "group", kind: "group", title: group.title });
  }

  diagnostics(): ReturnType<Interface["diagnostics"]> {
    throw new Error("a fake has none");
  }

  /** The calls of this name. */
  of(name: string): unknown[][] {
    return this.calls.filter((call) => call.name === name).map(({ args }) => args);
  }

  #note(name: string, args: unknown[]): void {
    this.calls.push({ name, args });
  }

  #changed(name: string, args: unknown[]): Message {
    this.#note(name, args);
    return messageOf({});
  }

  #window(conversationId: string) {
    const window = this.#windows.get(conversationId) ?? {
      snapshot: { ...emptyTimeline, loading: false, phase: "live" as const },
      subscribers: new Subscribers(),
    };
    this.#windows.set(conversationId, window);
    return window;
  }

  #put(message: Message): void {
    const window = this.#window(message.conversationId);
    const { messages } = window.snapshot;
    const isThere = messages.some(({ rowKey }) => rowKey === message.rowKey);
    const next = isThere
      ? messages.map((m) => (m.rowKey === message.rowKey ? message : m))
      : [...messages, message];
    window.snapshot = { ...window.snapshot, messages: next };
    window.subscribers.notify();
  }
}

const nobody: readonly string[] = [];

export function messageOf(fields: Partial<Message>): Message {
  const conversationId = fields.conversationId ?? "c1";
  return {
    rowKey: `${conversationId}:${fields.id ?? "1"}`,
    id: null,
    key: null,
    conversationId,
    senderId: "other",
    sender: "user",
    type: "text",
    text: "",
    metadata: null,
    attachments: [],
    replyTo: null,
    createdAt: since,
    seq: null,
    status: "saved",
    failure: null,
    durable: true,
    readBy: [],
    reactions: [],
    editedAt: null,
    deletedAt: null,
    ...fields,
  };
}

function conversationOf(fields: Partial<Conversation>): Conversation {
  return {
    id: "c1",
    kind: "direct",
    title: "",
    avatarUrl: null,
    members: [],
    lastMessage: null,
    unread: 0,
    mentions: 0,
    draft: "",
    archived: false,
    pinned: false,
    mutedUntil: null,
    blocked: false,
    myRole: "member",
    phase: "live",
    cursor: null,
    ...fields,
  };
}
