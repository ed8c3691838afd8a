// What `useChat`, `useConnection` and `useConversations` show.
import type { ChatClient } from "../client.js";
import { ChatError, toChatError } from "../errors.js";
import { emptyTimeline, type Timeline } from "../timeline.js";
import type {
  ConnectionSnapshot,
  ConnectionState,
  Conversation,
  Draft,
  Json,
  Message,
  Phase,
  SendOptions,
} from "../types.js";
import type { Session } from "./session.js";
import { SessionStore } from "./store.js";

/** What `useChat` gives. */
export type Chat = {
  readonly messages: readonly Message[];
  readonly isConnected: boolean;
  /** Whether somebody else is typing here. */
  readonly isTyping: boolean;
  /** Their user ids. */
  readonly typingUsers: readonly string[];
  /** What went wrong last, as text to be shown. */
  readonly error: string | null;
  readonly errorDetail: ChatError | null;
  /** What the backend told about the session; null where its profile knows no such thing. */
  readonly context: Json;
  /** The connection's state. */
  readonly status: ConnectionState;
  readonly phase: Phase;
  readonly hasEarlier: boolean;
  /** The newest messages are not among these: `loadLater` and `toNewest` bring them. */
  readonly hasLater: boolean;
  /** Row keys of messages before which others are missing: they are being fetched, or `fillGaps` asks again. */
  readonly gaps: readonly string[];
  readonly loading: boolean;
  /** Resolves with the message when it is durable, or with null when it was refused: `error` says why. Never rejects. */
  readonly sendMessage: (content: string | Draft, options?: SendOptions) => Promise<Message | null>;
  readonly clearError: () => void;
  readonly loadEarlier: (count?: number) => Promise<void>;
  readonly loadLater: (count?: number) => Promise<void>;
  /** Shows the messages around this one, which has to be stored here. */
  readonly jumpTo: (rowKey: string) => Promise<void>;
  readonly toNewest: () => Promise<void>;
  readonly fillGaps: () => Promise<void>;
  readonly resend: (key: string) => Promise<void>;
  readonly discard: (key: string) => Promise<void>;
  /** These four change a message at once; what the server refuses is taken back, and is an `error` of the client. */
  readonly edit: (rowKey: string, text: string) => Promise<void>;
  readonly remove: (rowKey: string) => Promise<void>;
  readonly react: (rowKey: string, emoji: string) => Promise<void>;
  readonly unreact: (rowKey: string, emoji: string) => Promise<void>;
  /** Everything up to this message, by default the newest, is read. */
  readonly markRead: (rowKey?: string) => Promise<void>;
  readonly setTyping: (typing: boolean) => void;
};

type ChatActions = Pick<
  Chat,
  | "sendMessage"
  | "clearError"
  | "loadEarlier"
  | "loadLater"
  | "jumpTo"
  | "toNewest"
  | "fillGaps"
  | "resend"
  | "discard"
  | "edit"
  | "remove"
  | "react"
  | "unreact"
  | "markRead"
  | "setTyping"
>;

export class ChatStore extends SessionStore<Chat> {
  #timeline: Timeline | undefined;
  #error: ChatError | null = null;
  #dismissed: ChatError | null = null;

  constructor(
    session: Session,
    private readonly conversationId: string | undefined,
  ) {
    super(session);
  }

  protected override read(client: ChatClient | null): Chat {
    const id = this.#idAt(client);
    const timeline = id === undefined ? idle : (this.#timeline?.getSnapshot() ?? emptyTimeline);
    const state = client?.connection.state ?? "idle";
    const typingUsers = id === undefined ? nobody : (client?.typing(id) ?? nobody);
    const standing = timeline.error ?? this.session.getSnapshot().error;
    const errorDetail = this.#error ?? (standing === this.#dismissed ? null : standing);
    return {
      messages: timeline.messages,
      isConnected: state === "online",
      isTyping: typingUsers.length > 0,
      typingUsers,
      error: errorDetail?.message ?? null,
      errorDetail,
      context: id !== undefined && id === onlyConversation(client) ? (client?.context ?? null) : null,
      status: state,
      phase: timeline.phase,
      hasEarlier: timeline.hasEarlier,
      hasLater: timeline.hasLater,
      gaps: timeline.gaps,
      loading: timeline.loading,
      ...this.#actions,
    };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    const stop = together(
      client.on("connection", changed),
      client.on("typing", ({ conversationId }) => conversationId === this.#idAt(client) && changed()),
      client.on("authError", (error) => this.#fail(error)),
      client.on("connected", () => this.#error?.code === "auth" && this.#succeed()),
      client.wire.on("context", changed),
      this.#openWhenKnown(client, changed),
    );
    return () => {
      stop();
      // Whoever comes back to the conversation does not meet an error of the time before.
      this.#error = null;
      this.#dismissed = null;
    };
  }

  /** The conversation that this shows; without an id of its own the profile's only one, as soon as it is known. */
  #idAt(client: ChatClient | null): string | undefined {
    return this.conversationId ?? onlyConversation(client);
  }

  #openWhenKnown(client: ChatClient, changed: () => void): () => void {
    const id = this.#idAt(client);
    if (id !== undefined) return this.#openTimeline(client, id, changed);
    let stop = client.conversations().subscribe(() => {
      const known = this.#idAt(client);
      if (known === undefined) return;
      stop();
      stop = this.#openTimeline(client, known, changed);
      changed();
    });
    return () => stop();
  }

  #openTimeline(client: ChatClient, conversationId: string, changed: () => void): () => void {
    try {
      const timeline = client.timeline(conversationId);
      timeline.subscribe(changed);
      this.#timeline = timeline;
      return () => {
        timeline.close();
        this.#timeline = undefined;
      };
    } catch (error) {
      this.#fail(toChatError(error));
      return () => {};
    }
  }

  readonly #actions: ChatActions = {
    sendMessage: (content, options) =>
      this.#act(async (client, id) => {
        const message = await client.send(id, content, options);
        this.#succeed();
        return message;
      }),
    clearError: () => {
      this.#dismissed = this.#timeline?.getSnapshot().error ?? this.session.getSnapshot().error;
      this.#succeed();
    },
    loadEarlier: async (count) => void (await this.#act(async () => this.#timeline?.loadEarlier(count))),
    loadLater: async (count) => void (await this.#act(async () => this.#timeline?.loadLater(count))),
    jumpTo: async (rowKey) => void (await this.#act(async () => this.#timeline?.jumpTo(rowKey))),
    toNewest: async () => void (await this.#act(async () => this.#timeline?.toNewest())),
    fillGaps: async () => void (await this.#act(async () => this.#timeline?.fillGaps())),
    resend: async (key) => void (await this.#act((client) => client.resend(key))),
    discard: async (key) => void (await this.#act((client) => client.discard(key))),
    edit: async (rowKey, text) => void (await this.#act((client) => client.edit(rowKey, text))),
    remove: async (rowKey) => void (await this.#act((client) => client.remove(rowKey))),
    react: async (rowKey, emoji) => void (await this.#act((client) => client.react(rowKey, emoji))),
    unreact: async (rowKey, emoji) => void (await this.#act((client) => client.unreact(rowKey, emoji))),
    markRead: async (rowKey) =>
      void (await this.#act(async (client, id) => {
        const target = rowKey ?? this.#timeline?.getSnapshot().messages.at(-1)?.rowKey;
        if (target !== undefined) await client.markRead(id, target);
      })),
    setTyping: (typing) => {
      // Not worth waiting for a client that is not there yet.
      const { client } = this.session.getSnapshot();
      const id = this.#idAt(client);
      if (!client || id === undefined) return;
      try {
        client.setTyping(id, typing);
      } catch (error) {
        this.#fail(toChatError(error));
      }
    },
  };

  async #act<T>(run: (client: ChatClient, conversationId: string) => Promise<T>): Promise<T | null> {
    try {
      const client = await this.session.ready();
      const id = this.#idAt(client);
      if (id === undefined)
        throw new ChatError(
          "validation",
          "useChat() was given no conversation, and this backend has several",
        );
      return await run(client, id);
    } catch (error) {
      this.#fail(toChatError(error));
      return null;
    }
  }

  #fail(error: ChatError): void {
    this.#error = error;
    this.changed();
  }

  #succeed(): void {
    this.#error = null;
    this.changed();
  }
}

/** Where a backend has one conversation, as an assistant does, its id. */
function onlyConversation(client: ChatClient | null): string | undefined {
  if (client?.profile === "assistant") return "assistant";
  const isAssistant = ({ kind }: Conversation) => kind === "assistant";
  return client?.conversations().getSnapshot().find(isAssistant)?.id;
}

const nobody: readonly string[] = Object.freeze([]);
const idle = Object.freeze({ ...emptyTimeline, loading: false });

/** What `useConnection` gives. */
export type Connection = ConnectionSnapshot & {
  readonly isConnected: boolean;
  /** Resolves at the first `online`. */
  readonly connect: () => Promise<void>;
  readonly disconnect: () => void;
};

const unconnected: ConnectionSnapshot = Object.freeze({
  state: "idle",
  reason: null,
  retryInMs: null,
  attempt: 0,
  since: new Date(0).toISOString(),
  socketId: null,
  leader: false,
});

export class ConnectionStore extends SessionStore<Connection> {
  readonly #connect = async (): Promise<void> => (await this.session.ready()).connect();
  readonly #disconnect = (): void => this.session.getSnapshot().client?.disconnect();

  protected override read(client: ChatClient | null): Connection {
    const connection = client?.connection ?? unconnected;
    const isConnected = connection.state === "online";
    return { ...connection, isConnected, connect: this.#connect, disconnect: this.#disconnect };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    return together(client.on("connection", changed), client.on("leader", changed));
  }
}

/** What `useConversations` gives. */
export type Conversations = {
  readonly conversations: readonly Conversation[];
  /** Unread messages in all of them. */
  readonly unread: number;
  /** How far all of them have caught up: before `live` there may be more than are listed. */
  readonly phase: Phase;
  readonly createDirect: (userId: string) => Promise<Conversation>;
  readonly createGroup: (group: { title: string; members: readonly string[] }) => Promise<Conversation>;
};

const noConversations: readonly Conversation[] = Object.freeze([]);

export class ConversationsStore extends SessionStore<Conversations> {
  readonly #createDirect: Conversations["createDirect"] = async (userId) =>
    (await this.session.ready()).createDirect(userId);
  readonly #createGroup: Conversations["createGroup"] = async (group) =>
    (await this.session.ready()).createGroup(group);

  constructor(
    session: Session,
    private readonly archived: boolean,
  ) {
    super(session);
  }

  protected override read(client: ChatClient | null): Conversations {
    const conversations = client?.conversations({ archived: this.archived }).getSnapshot() ?? noConversations;
    const unread = conversations.reduce((sum, conversation) => sum + conversation.unread, 0);
    const phase = client?.phase ?? "restored";
    return { conversations, unread, phase, createDirect: this.#createDirect, createGroup: this.#createGroup };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    const list = client.conversations({ archived: this.archived });
    return together(list.subscribe(changed), client.on("phase", changed));
  }
}

/** Takes all of them off at once. */
function together(...stops: readonly (() => void)[]): () => void {
  return () => {
    for (const stop of stops) stop();
  };
}
