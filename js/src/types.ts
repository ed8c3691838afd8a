import type { ChatError } from "./errors.js";
import type { Profile } from "./profile.js";

/** Whatever JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What `exportConversation(id, 'json')` is the text of. */
export type ExportedConversation = {
  /** Its id alone where nothing but its history is known. */
  conversation: Conversation | { id: string };
  /** Oldest first; what is queued stands last. */
  messages: Message[];
  /** Parts that could not be read: how many messages, and between which times. */
  damaged: { messages: number; from: string; to: string }[];
  /** All of the conversation is known to be in it, from its first message on; else earlier ones may be on the server only. */
  complete: boolean;
};

/** What the browser says of the origin's storage, in bytes. */
export type StorageReport = {
  /** It takes nothing away by itself where the disk runs full. */
  persisted: boolean;
  usage: number;
  /** 0: it does not say. */
  quota: number;
};

/** The state of the core for a bug report: no tokens, no texts. */
export type Diagnostics = {
  queued: number;
  conversations: number;
  acks: number;
  requests: number;
  /** Messages that are not known and have changes waiting for them. */
  orphans: number;
  /** Messages that have come and are not in the store yet. */
  unsaved: number;
  leader: boolean;
  /** False where only memory is left. */
  persistent: boolean;
  timers: boolean;
  /** As it was told last: after the first write, and now and then by the leading tab. */
  storage: StorageReport | null;
};

/** What can go wrong, closed: `switch` over it is exhaustive. */
export type ErrorCode =
  | "validation"
  | "forbidden"
  | "notFound"
  | "conflict"
  | "tooLarge"
  | "rateLimited"
  | "auth"
  | "timeout"
  | "server"
  | "unconfirmed"
  | "poison"
  | "expired"
  | "outboxFull"
  | "storage"
  | "protocol"
  | "config"
  | "closed"
  | "cancelled"
  | "inFlight"
  | "unsupported";

/** Why a message failed: what a `ChatError` says, in a snapshot. */
export type Failure = { code: ErrorCode; message: string; retryable: boolean };

/** How far a message is: forward only, but for `failed` → `saved` (resend) and `failed` → `acknowledged` (its copy turned up). */
export type Status = "saving" | "saved" | "sent" | "acknowledged" | "delivered" | "read" | "failed";

/** What a message is; a backend may have types of its own. */
export type MessageType =
  | "text"
  | "image"
  | "video"
  | "file"
  | "voice"
  | "location"
  | "contact"
  | "action"
  | "oauth_required"
  | "system"
  | (string & {});

/** A file that belongs to a message, as its backend describes it. */
export type Attachment = { [key: string]: Json };

/** An emoji on a message, and whose it is. */
export type Reaction = { emoji: string; count: number; mine: boolean; users: string[] };

/** A message as it is shown. Snapshots hold the same object until something in it changes. */
export type Message = {
  /** Stable for ever: the key for own messages minted in this store, else conversation and server id. */
  rowKey: string;
  /** The server's id, null until known. Numeric ids are shown as strings. */
  id: string | null;
  /** Idempotency key, minted when queued; null on other people's messages. */
  key: string | null;
  conversationId: string;
  senderId: string;
  sender: "me" | "user" | "ai" | "system";
  type: MessageType;
  text: string;
  metadata: Json;
  attachments: Attachment[];
  replyTo: { rowKey: string; excerpt: string } | null;
  /** ISO 8601, the server's once known. */
  createdAt: string;
  /** The server's order, where the backend has one. */
  seq: number | null;
  status: Status;
  failure: Failure | null;
  /** False only where nothing but memory holds it. */
  durable: boolean;
  readBy: string[];
  reactions: Reaction[];
  editedAt: string | null;
  deletedAt: string | null;
  /** Only in `outbox()`: this entry changes that message; `text` is the new text or the emoji. */
  change?: QueuedChange;
};

/** What is to be done to which message. */
export type QueuedChange = { kind: "edit" | "remove" | "react" | "unreact"; rowKey: string };

/** What somebody may do in a group. */
export type Role = "admin" | "moderator" | "member";

/** Somebody in a conversation. */
export type Member = { userId: string; name: string; role: Role };

/** How far something is: from the store alone, catching up, or live. */
export type Phase = "restored" | "syncing" | "live";

/** A conversation as it is listed. Snapshots hold the same object until something in it changes. */
export type Conversation = {
  id: string;
  kind: "direct" | "group" | "assistant";
  title: string;
  avatarUrl: string | null;
  members: Member[];
  lastMessage: Message | null;
  unread: number;
  mentions: number;
  draft: string;
  archived: boolean;
  pinned: boolean;
  mutedUntil: string | null;
  blocked: boolean;
  myRole: Role;
  phase: Phase;
  cursor: string | null;
};

/**
 * Where the connection is. `waiting`: the next attempt is timed. `offline`: the browser has no network. `failed`: given up, until
 * `connect()`, the network's return, or the page's.
 */
export type ConnectionState =
  | "idle"
  | "connecting"
  | "authenticating"
  | "online"
  | "waiting"
  | "offline"
  | "closed"
  | "failed";

/** The connection at one moment. */
export type ConnectionSnapshot = {
  state: ConnectionState;
  reason: string | null;
  /** Milliseconds from `since` to the next attempt, in `waiting`. */
  retryInMs: number | null;
  attempt: number;
  since: string;
  socketId: string | null;
  /** Whether this tab holds the socket. */
  leader: boolean;
};

/** What the client may promise against this backend. */
export type Guarantees = {
  delivery: "exactly-once" | "once-or-unconfirmed" | "at-most-once";
  order: boolean;
  gaps: "filled" | "shown" | "unseen";
  receipts: boolean;
  /** One sentence for each thing that the backend does not give. One that begins with `not known yet`: it has not been heard. */
  because: string[];
};

/** What is known of somebody's presence. */
export type Presence = { userId: string; online: boolean; lastSeen: string | null };

/** What a timeline shows now. The object is the same until something in it changes, and so is each message. */
export type TimelineSnapshot = {
  readonly messages: readonly Message[];
  readonly hasEarlier: boolean;
  readonly hasLater: boolean;
  /** Row keys of messages in view before which others are missing: they are being fetched, or `fillGaps()` asks again. */
  readonly gaps: readonly string[];
  readonly loading: boolean;
  readonly error: ChatError | null;
  readonly phase: Phase;
};

/** A value to be read and watched, in the shape of React's `useSyncExternalStore`. */
export type Readable<T> = {
  /** The same object until it changes. */
  getSnapshot(): T;
  /** Calls `listener` after each change, until the function returned is called. */
  subscribe(listener: () => void): () => void;
};

/** What `send` takes for a message that is more than text. */
export type Draft = {
  text: string;
  type?: MessageType | undefined;
  metadata?: Json | undefined;
  /** The row key of the message that this one answers. */
  replyTo?: string | undefined;
};

/** How a message is queued. */
export type SendOptions = {
  /** After this many milliseconds in the queue the message is `failed('expired')`. */
  ttlMs?: number | undefined;
  /** An idempotency key of the application's own; else one is minted. */
  key?: string | undefined;
};

/** Why a token is asked for: to connect, since the last one was refused, or since the one in use ends soon (a JWT's own `exp`). */
export type TokenReason = "connect" | "refused" | "expiring";

/** Where the wasm is: its address, its bytes, or what `WebAssembly.compile` made of it. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/** What a backend gives beyond its profile's row; overrules what the server says of itself. */
export type Capabilities = {
  keys?: boolean;
  /** `false`: a send is done when its frame has left the socket; no answer is waited for. */
  answers?: boolean;
  cursor?: boolean;
  orderedWindow?: boolean;
  receipts?: boolean;
  maxPayload?: number;
};

/** The options of `createChat`; what is left out has the profile's default. */
export type ChatOptions = {
  /** The backend's base: ws, wss, http or https; plain only on localhost unless `allowInsecure`. */
  url: string;
  profile: "assistant" | "phoenix" | "team" | "companion" | "channels" | Profile;
  /** `phoenix` is spoken over Socket.IO too, by deployments that run it so: `socket.io`. Else the profile's own. */
  framing?: "socket.io" | "phoenix" | "json" | undefined;
  /** This user's id at the backend. */
  userId: string;
  /** Asked on every connect and when a token was refused. */
  getToken?: ((request: { reason: TokenReason }) => string | Promise<string>) | undefined;
  /** Whether what the backend refused the connection with means the token, which is asked for anew then; by default its code
   * (`AuthError`, `auth_failed`) or its words tell. */
  isAuthError?: ((error: { code: string | null; message: string }) => boolean) | undefined;
  /** A token that never changes, instead of `getToken`. */
  token?: string | undefined;
  endpoint?: { path?: string; namespace?: string; apiUrl?: string } | undefined;
  allowInsecure?: boolean | undefined;
  capabilities?: Capabilities | undefined;
  limits?:
    | {
        /** Characters of a message: 10,000, with `assistant` 500. */
        maxTextLength?: number;
        maxFrameBytes?: number;
        maxConversations?: number;
        maxWindowRows?: number;
        /** Percent of the origin's storage (80) from which on the oldest stored history is given up: the server has it. */
        maxStoragePercent?: number;
        sendsPerSecond?: number;
        sendBurst?: number;
      }
    | undefined;
  /**
   * How the token travels: with `team` in Socket.IO's CONNECT (`auth`), with `phoenix` and `assistant` as a sub-protocol, with
   * `assistant` also in a frame of its own (`firstFrame`), with both in the URL, where servers write it to their logs: `query`,
   * for Phoenix before 1.8.
   */
  tokenIn?: "auth" | "subprotocol" | "firstFrame" | "query" | undefined;
  /**
   * The user's time zone by its name; left out: the browser's. `assistant` tells it to the server with each message; `team` and
   * `phoenix` tell UTC: checked, and without effect.
   */
  timezone?: string | undefined;
  reconnect?:
    | {
        baseDelayMs?: number;
        maxDelayMs?: number;
        /** Delays are drawn from all below (`full`), or from half as long to half as long again (`half`). */
        jitter?: "full" | "half";
        /** Attempts that fail in a row before `failed`; null: no limit. */
        maxAttempts?: number | null;
        connectTimeoutMs?: number;
        /** Whether to come back after the server has sent this client away. */
        afterServerDisconnect?: boolean;
      }
    | undefined;
  /**
   * For profiles whose client asks for signs of life, as `phoenix` and `assistant` do (30 and 10 s). With `team` the server sets both
   * (Engine.IO's `pingInterval` and `pingTimeout`): checked, and without effect.
   */
  heartbeat?: { intervalMs?: number; timeoutMs?: number } | undefined;
  outbox?: { maxQueued?: number; maxAttempts?: number; window?: number; ackTimeoutMs?: number } | undefined;
  /** `memory` keeps nothing over a reload. */
  storage?: "indexeddb" | "memory" | undefined;
  /**
   * Whether the browser is asked, after the first write, to keep the store even where the disk runs full (true). Firefox asks
   * the user.
   */
  persist?: boolean | undefined;
  /** Where a bundler needs a hand to find the wasm. */
  wasm?: WasmSource | undefined;
  /**
   * In development builds a client says on the console, once each, which promises do not hold at its backend, and why it never comes
   * to be connected: from `warn` on, the default. There is no other log: troubles are told by the events `error`, `protocolError`,
   * `authError` and `storageDegraded`.
   */
  logLevel?: "silent" | "error" | "warn" | "info" | "debug" | "trace" | undefined;
};

/** What `on` can hear, with the arguments of its listeners. */
export type ChatEvents = {
  /**
   * Once for each message of others, as it arrives: after a reconnect a live one may be told before older ones that are
   * caught up. The timeline is always in the server's order.
   *
   * Every tab hears it, and in one of them at most `leader` is true, also while the lead changes hands: ring there. In
   * none where that tab ends in the moment of telling, and in two perhaps while the store takes nothing. What
   * `chat.connection.leader` says while the listeners run is the same.
   */
  message: [message: Message, info: { live: boolean; leader: boolean }];
  messageUpdated: [message: Message];
  messageDeleted: [target: { conversationId: string; rowKey: string }];
  /** An own message moved on its ladder. */
  status: [change: { conversationId: string; rowKey: string; status: Status; failure: Failure | null }];
  typing: [change: { conversationId: string; userId: string; typing: boolean }];
  presence: [presence: Presence];
  reaction: [target: { conversationId: string; rowKey: string }];
  conversation: [conversation: Conversation];
  conversationRemoved: [target: { conversationId: string }];
  connection: [connection: ConnectionSnapshot];
  connected: [info: { socketId: string | null }];
  disconnected: [info: { reason: string | null }];
  reconnecting: [info: { attempt: number; retryInMs: number | null }];
  phase: [phase: Phase];
  error: [error: ChatError];
  authError: [error: ChatError];
  /** The backend broke its protocol; the socket stays where the framing still holds. */
  protocolError: [info: { message: string; excerpt: string }];
  /** Only memory is left (`persistent` false), or the store refused a write. */
  storageDegraded: [info: { message: string; persistent: boolean }];
  gap: [target: { conversationId: string }];
  /**
   * A live message of the backend's own (sender `ai` or `system`) asks for consent: show a button that calls `handleOAuthRequest(authUrl)`. Once for each
   * message, in every tab; `leader` as with `message`. An address that is neither http nor https is an `error` instead.
   */
  oauthRequired: [request: { authUrl: string; message: Message; leader: boolean }];
  leader: [leader: boolean];
};
