// The companion's guide (WIRES.md C1 to C11): `getSocketClient`.
import type { ChatClient } from "../client.js";
import { type CompanionActions, companionActions } from "../companion.js";
import { ChatError } from "../errors.js";
import { type Id, wireId } from "../ids.js";
import { webAddress } from "../oauth.js";
import type { Json, Message } from "../types.js";
import { serverId } from "./records.js";
import type { FacadeOptions } from "./slot.js";
import { WireFacade } from "./wire-facade.js";

/** A message as that wire has it (D8). */
export type CompanionMessage = {
  /** A number where the backend's is one (C6). */
  id: Id;
  girl_id: string;
  content: string;
  sender: "user" | "girl";
  timestamp: string;
  type: string;
  photo_url?: string;
};

/** C3, C5. */
export type CompanionEvents = {
  connected: [info: { socketId: string | null }];
  disconnected: [info: { reason: string | null }];
  /** What went wrong with the connection, or with a message of this user's. */
  error: [error: ChatError];
  message_received: [told: { message: CompanionMessage }];
  typing: [told: { girl_id: string; is_typing: boolean }];
  message_read: [told: { message_id: Id; girl_id: string }];
  /** Its address is one of http or https; another one is an `error` instead. */
  photo_generated: [told: { girl_id: Id; photo_url: string }];
};

const events: (keyof CompanionEvents)[] = [
  "connected",
  "disconnected",
  "error",
  "message_received",
  "typing",
  "message_read",
  "photo_generated",
];

/**
 * The socket client of the companion's guide (C10), with its events (C3, C5); every other event of the backend comes as it is
 * (C4).
 */
export class CompanionSocketClient extends WireFacade<CompanionEvents> implements CompanionActions {
  /** Resolves with the message when it is on disk (C2). */
  readonly sendMessage: CompanionActions["sendMessage"];
  /** To be called at every key: it is throttled, and stops by itself (C9). */
  readonly setTyping: CompanionActions["setTyping"];
  /** The newest of these messages and everything before it is read. */
  readonly markAsRead: CompanionActions["markAsRead"];
  /** Asks for a photo, which comes as `photo_generated`. Not queued: offline it rejects. */
  readonly requestPhoto: CompanionActions["requestPhoto"];
  #userId: Id | null;

  constructor(options: FacadeOptions) {
    super("getSocketClient()", "companion", options, events);
    const actions = companionActions(this.slot.ready, this.slot.now);
    this.sendMessage = actions.sendMessage;
    this.setTyping = actions.setTyping;
    this.markAsRead = actions.markAsRead;
    this.requestPhoto = actions.requestPhoto;
    this.#userId = options.userId ?? options.client?.userId ?? null;
  }

  /** Options for the client that is made next. */
  configure(options: FacadeOptions): void {
    this.slot.configure(options);
    this.#userId = options.userId ?? options.client?.userId ?? this.#userId;
  }

  /** At login (C1): resolves when connected. Another user's client is closed before. */
  async connect(userId?: Id, token?: string): Promise<void> {
    await this.slot.login(userId, token);
    this.#userId = userId ?? this.#userId;
    await this.slot.connect();
  }

  /** Whether the connection is there now. */
  isConnected(): boolean {
    return this.slot.isOnline;
  }

  /** The server's id of this connection, or null. */
  getSocketId(): string | null {
    return this.slot.now()?.connection.socketId ?? null;
  }

  /** As `connect()` was given it. */
  getUserId(): Id | null {
    return this.#userId;
  }

  /** Tells what the core has read, in the backend's shape. */
  protected override watch(client: ChatClient): (() => void)[] {
    const { emitter } = this;
    return [
      client.on("connected", (info) => emitter.emit("connected", info)),
      client.on("disconnected", (info) => emitter.emit("disconnected", info)),
      client.on("error", (error) => emitter.emit("error", error)),
      client.on("authError", (error) => emitter.emit("error", error)),
      client.on("message", (message) => emitter.emit("message_received", { message: recordOf(message) })),
      client.on("typing", ({ conversationId, typing }) =>
        emitter.emit("typing", { girl_id: conversationId, is_typing: typing }),
      ),
      client.wire.on("photo_generated", (photo) => {
        if (isPhoto(photo?.photo_url)) emitter.emit("photo_generated", photo);
        else emitter.emit("error", new ChatError("protocol", badPhoto));
      }),
      client.on("status", async ({ conversationId, rowKey, status, failure }) => {
        if (failure) emitter.emit("error", ChatError.from(failure));
        const id = status === "read" ? await serverId(client, { conversationId, rowKey }) : null;
        if (id !== null) emitter.emit("message_read", { message_id: wireId(id), girl_id: conversationId });
      }),
    ];
  }
}

const badPhoto = "photo_generated: photo_url is no http or https address and no path: it was not told";

function recordOf(message: Message): CompanionMessage {
  const photo = photoOf(message);
  return {
    id: wireId(message.id ?? message.rowKey),
    girl_id: message.conversationId,
    content: message.text,
    sender: message.sender === "me" ? "user" : "girl",
    timestamp: message.createdAt,
    type: message.type === "image" ? "photo" : message.type,
    ...(photo !== undefined && { photo_url: photo }),
  };
}

function photoOf({ attachments, metadata }: Message): string | undefined {
  const inMetadata: Json | undefined =
    typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)
      ? metadata.photo_url
      : undefined;
  const photo = attachments[0]?.url ?? inMetadata;
  return isPhoto(photo) ? photo : undefined;
}

/** An address of http or https, or a path of the application's own origin, as the core takes them. */
function isPhoto(photo: unknown): photo is string {
  return typeof photo === "string" && (webAddress(photo) !== undefined || /^\/(?![/\\])/.test(photo));
}

let shared: CompanionSocketClient | undefined;

/**
 * The application's one socket client (C10). Options as those of `createChat`, before the first `connect()`; `url` at least. `connect(userId,
 * token)` says whose it is.
 */
export function getSocketClient(options?: FacadeOptions): CompanionSocketClient {
  if (!shared) shared = new CompanionSocketClient(options ?? {});
  else if (options) shared.configure(options);
  return shared;
}
