// What the hooks show. Each store reads one session and holds no chat state: its snapshot is put together from those of
// the client, and is the same object until a part of it changes.
import type { ChatClient } from "../client.js";
import { Subscribers } from "../emitter.js";
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
  Readable,
  SendOptions,
} from "../types.js";
import type { Session } from "./session.js";

abstract class SessionStore<S extends object> implements Readable<S> {
  #snapshot: S | undefined;
  #serverSnapshot: S | undefined;
  #fresh = false;
  #client: ChatClient | null = null;
  #stop: (() => void) | undefined;
  readonly #subscribers = new Subscribers();

  constructor(protected readonly session: Session) {}

  /** What to show; `client` is null while there is none, and on a server. */
  protected abstract read(client: ChatClient | null): S;

  /** Begins to watch what `read` reads; `changed` is to be called at each change. The function returned ends it. */
  protected abstract watch(client: ChatClient, changed: () => void): () => void;

  readonly getSnapshot = (): S => {
    if (this.#fresh && this.#snapshot) return this.#snapshot;
    const next = this.read(this.session.getSnapshot().client);
    if (!this.#snapshot || !sameFields(this.#snapshot, next)) this.#snapshot = next;
    // Unwatched, it would not hear of the next change.
    this.#fresh = this.#stop !== undefined;
    return this.#snapshot;
  };

  readonly getServerSnapshot = (): S => {
    this.#serverSnapshot ??= this.read(null);
    return this.#serverSnapshot;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    const remove = this.#subscribers.add(listener);
    if (!this.#stop) this.#start();
    return () => {
      remove();
      // StrictMode takes a component off and puts it back within one task.
      queueMicrotask(() => {
        if (this.#subscribers.size === 0) this.#end();
      });
    };
  };

  protected readonly changed = (): void => {
    this.#fresh = false;
    this.#subscribers.notify();
  };

  #start(): void {
    let unwatch: (() => void) | undefined;
    const follow = () => {
      const { client } = this.session.getSnapshot();
      if (client !== this.#client) {
        unwatch?.();
        this.#client = client;
        unwatch = client ? this.watch(client, this.changed) : undefined;
      }
      this.changed();
    };
    const stopSession = this.session.subscribe(follow);
    this.#stop = () => {
      stopSession();
      unwatch?.();
      this.#client = null;
    };
    follow();
  }

  #end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#fresh = false;
  }
}

function sameFields<S extends object>(a: S, b: S): boolean {
  return (Object.keys(b) as (keyof S)[]).every((field) => Object.is(a[field], b[field]));
}

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
  readonly loading: boolean;
  /** Resolves with the message when it is durable, or with null when it was refused: `error` says why. Never rejects. */
  readonly sendMessage: (content: string | Draft, options?: SendOptions) => Promise<Message | null>;
  readonly clearError: () => void;
  readonly loadEarlier: (count?: number) => Promise<void>;
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
    const timeline =
      this.conversationId === undefined ? idle : (this.#timeline?.getSnapshot() ?? emptyTimeline);
    const state = client?.connection.state ?? "idle";
    const typingUsers =
      this.conversationId === undefined ? nobody : (client?.typing(this.conversationId) ?? nobody);
    const standing = timeline.error ?? this.session.getSnapshot().error;
    const errorDetail = this.#error ?? (standing === this.#dismissed ? null : standing);
    return {
      messages: timeline.messages,
      isConnected: state === "online",
      isTyping: typingUsers.length > 0,
      typingUsers,
      error: errorDetail?.message ?? null,
      errorDetail,
      context: null,
      status: state,
      phase: timeline.phase,
      hasEarlier: timeline.hasEarlier,
      loading: timeline.loading,
      ...this.#actions,
    };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    const stops = [
      client.on("connection", changed),
      client.on("typing", ({ conversationId }) => conversationId === this.conversationId && changed()),
      client.on("authError", (error) => this.#fail(error)),
      client.on("connected", () => this.#error?.code === "auth" && this.#succeed()),
    ];
    if (this.conversationId !== undefined)
      stops.push(this.#openTimeline(client, this.conversationId, changed));
    return () => {
      for (const stop of stops) stop();
      // Whoever comes back to the conversation does not meet an error of the time before.
      this.#error = null;
      this.#dismissed = null;
    };
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
      if (!client || this.conversationId === undefined) return;
      try {
        client.setTyping(this.conversationId, typing);
      } catch (error) {
        this.#fail(toChatError(error));
      }
    },
  };

  async #act<T>(run: (client: ChatClient, conversationId: string) => Promise<T>): Promise<T | null> {
    try {
      const client = await this.session.ready();
      if (this.conversationId === undefined)
        throw new ChatError("validation", "useChat() was given no conversation");
      return await run(client, this.conversationId);
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
    const stops = [client.on("connection", changed), client.on("leader", changed)];
    return () => {
      for (const stop of stops) stop();
    };
  }
}

/** What `useConversations` gives. */
export type Conversations = {
  readonly conversations: readonly Conversation[];
  /** Unread messages in all of them. */
  readonly unread: number;
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
    return { conversations, unread, createDirect: this.#createDirect, createGroup: this.#createGroup };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    return client.conversations({ archived: this.archived }).subscribe(changed);
  }
}
