// The team's guide (WIRES.md T1 to T17): `initializeSocket`, `sendMessage`, `sendTypingIndicator`.
import type { ChatClient } from "../client.js";
import { ChatError, check } from "../errors.js";
import { isId } from "../ids.js";
import type { Json, Message, MessageType, Status } from "../types.js";
import { followConversations } from "./conversations.js";
import { ReactionTeller } from "./reactions.js";
import { type Ack, ackOf, fromBase64, sendAs, serverId } from "./records.js";
import type { FacadeOptions } from "./slot.js";
import { type TeamConversation, type TeamMessage, teamConversation, teamMessage } from "./team-records.js";
import { WireFacade } from "./wire-facade.js";

/** T4, and the names that Socket.IO has for its connection. */
export type TeamEvents = {
  connect: [];
  disconnect: [reason: string];
  connect_error: [error: ChatError];
  /** What belongs to no call, what `emit` without an `ack` could not do, and why an own message has failed. */
  error: [error: ChatError];
  "user:status_changed": [change: { userId: string; status: "online" | "offline"; timestamp: string }];
  "chat:message_received": [message: TeamMessage];
  /** D4. */
  "chat:message_updated": [message: TeamMessage];
  "chat:message_deleted": [deleted: { messageId: string }];
  /** A message of which this device does not remember what it had: all that it has is told as added. */
  "chat:reaction": [reaction: { messageId: string; emoji: string; userId: string; op: "add" | "remove" }];
  /** One that is new, whose title, picture or members are others, or that is gone: then without this user. */
  "chat:conversation_updated": [told: { conversation: TeamConversation }];
  /**
   * `tempId` is the id under which `sendMessage` gave an own message (T16), which `sent` joins to the server's; `failed`: it is kept, and
   * `error` says why.
   */
  "chat:message_status_updated": [update: { messageId: string; tempId: string; status: string }];
  "chat:user_typing": [
    typing: {
      userId: string;
      username: string;
      isTyping: boolean;
      timestamp: string;
      conversationId: string;
    },
  ];
};

const events: (keyof TeamEvents)[] = [
  "connect",
  "disconnect",
  "connect_error",
  "error",
  "user:status_changed",
  "chat:message_received",
  "chat:message_updated",
  "chat:message_deleted",
  "chat:reaction",
  "chat:conversation_updated",
  "chat:message_status_updated",
  "chat:user_typing",
];

/** What the core says to the backend by itself, at the right time: that one is there (T17), and that a message was delivered. */
const byItself = new Set(["presence:online", "chat:message_delivered"]);

/** T14: `sent` is what the server has. The others are this client's own. */
const statuses: Partial<Record<Status, string>> = {
  acknowledged: "sent",
  delivered: "delivered",
  read: "read",
};

/** The socket of the team's guide. Names and shapes are the wire's; what is sent goes through the client's queue. */
export class TeamSocket extends WireFacade<TeamEvents> {
  #isAway = false;

  constructor(options: FacadeOptions) {
    // Another token is another socket.
    super("initializeSocket()", "team", options, events, true);
  }

  /** Resolves when connected. `initializeSocket` calls it. */
  async connect(): Promise<void> {
    await this.slot.login();
    await this.slot.ready().catch((error: ChatError) => {
      this.emitter.emit("connect_error", error);
      throw error;
    });
    await this.slot.connect();
  }

  /**
   * Says something to the backend (T2). Messages, typing and what is read go through the client; what the client says by itself is
   * not said twice; all else goes as it is. `ack` is given the backend's answer (T3).
   */
  emit(
    event: string,
    payload: { readonly [name: string]: Json } = {},
    ack?: (answer: unknown) => void,
  ): void {
    const run = this.#emit(event, payload, ack !== undefined);
    this.answer(run, ack, (error) => this.emitter.emit("error", error));
  }

  async #emit(event: string, payload: { readonly [name: string]: Json }, wantsAnswer: boolean) {
    // Who has said that they are offline has to say that they are there again.
    const isBack = event === "presence:online" && this.#isAway;
    if (byItself.has(event) && !isBack) return { success: true };
    if (event.startsWith("presence:")) this.#isAway = event === "presence:offline";
    const client = await this.slot.ready();
    const { conversationId, contentEncrypted, isTyping } = payload;
    if (event === "chat:message_send") {
      const id = check.id("conversationId", conversationId);
      const text = fromBase64(check.string("contentEncrypted", contentEncrypted));
      const { clientMessageId: key, message_type: type, metadata, reply_to: replyTo } = payload;
      const message = await sendAs(client, id, text, { key, type, metadata, replyTo });
      return wantsAnswer ? answerOf(await ackOf(client, message)) : null;
    }
    if (event === "chat:typing") {
      client.setTyping(check.id("conversationId", conversationId), isTyping === true);
      return { success: true };
    }
    const { messageId } = payload;
    if (event === "chat:message_read" && isId(messageId)) {
      const read = this.receipts.read(client, messageId, conversationId);
      if (read && (await read)) return { success: true };
    }
    return client.wire.send(event, payload, { ack: wantsAnswer });
  }

  /** Tells what the core has read, in the backend's shape. */
  protected override watch(client: ChatClient): (() => void)[] {
    const { emitter } = this;
    let last = client.connection.state;
    const now = () => new Date().toISOString();
    const isHeard = () => emitter.listenerCount("chat:reaction") > 0;
    const reactions = new ReactionTeller(client, isHeard, (change) => emitter.emit("chat:reaction", change));
    return [
      client.on("connected", () => emitter.emit("connect")),
      client.on("disconnected", ({ reason }) => emitter.emit("disconnect", reason ?? "")),
      client.on("connection", ({ state, reason, retryInMs }) => {
        const was = last;
        last = state;
        // A connection that is lost is a `disconnect`; an attempt to have one failed.
        const isAttempt = state === "waiting" && retryInMs !== null && was !== "online" && was !== state;
        const isOver = state === "failed" && was !== state && !reason?.startsWith("auth");
        if (!isAttempt && !isOver) return;
        const text = reason ?? "the server could not be reached";
        emitter.emit("connect_error", new ChatError("server", text, { retryable: !isOver }));
      }),
      client.on("authError", (error) => emitter.emit("connect_error", error)),
      client.on("error", (error) => emitter.emit("error", error)),
      client.on("presence", ({ userId, online }) => {
        const status = online ? "online" : "offline";
        emitter.emit("user:status_changed", { userId, status, timestamp: now() });
      }),
      client.on("message", (message) => emitter.emit("chat:message_received", teamMessage(message))),
      client.on("messageUpdated", (message) => emitter.emit("chat:message_updated", teamMessage(message))),
      client.on("messageDeleted", async (target) => {
        const messageId = await serverId(client, target);
        if (messageId !== null) emitter.emit("chat:message_deleted", { messageId });
      }),
      client.on("status", async ({ conversationId, rowKey, status, failure }) => {
        const tell = (messageId: string, status: string) =>
          emitter.emit("chat:message_status_updated", { messageId, tempId: rowKey, status });
        if (failure) {
          emitter.emit("error", ChatError.from(failure));
          return tell(rowKey, "failed");
        }
        const name = statuses[status];
        const messageId = name && (await serverId(client, { conversationId, rowKey }));
        if (messageId) tell(messageId, name);
      }),
      client.on("typing", ({ conversationId, userId, typing }) => {
        const members = client.conversation(conversationId).getSnapshot()?.members ?? [];
        const username = members.find((member) => member.userId === userId)?.name ?? userId;
        const told = { userId, username, isTyping: typing, timestamp: now(), conversationId };
        emitter.emit("chat:user_typing", told);
      }),
      ...reactions.start(),
      ...followConversations(client, (conversation) =>
        emitter.emit("chat:conversation_updated", { conversation: teamConversation(conversation) }),
      ),
    ];
  }
}

function answerOf(ack: Ack<Message>): Ack<TeamMessage> {
  return ack.success ? { success: true, data: teamMessage(ack.data) } : ack;
}

let current: TeamSocket | undefined;

/**
 * Connects this user (T1), and gives the socket; one that was there before is closed. Options as those of `createChat`:
 * `url` and `userId` at least; `profile` is `team`.
 */
export function initializeSocket(token: string, options: FacadeOptions): TeamSocket {
  const before = current;
  const socket = new TeamSocket({ ...options, token });
  current = socket;
  const gone = before?.close() ?? Promise.resolve();
  const connect = () => socket.connect();
  // How it fares is told by its events.
  gone.then(connect, connect).catch(() => {});
  return socket;
}

/** Resolves with the message when it is on disk, to be shown at once under `rowKey` (T16); that stays its id in this client. */
export async function sendMessage(
  conversationId: string,
  content: string,
  messageType: MessageType = "text",
): Promise<Message> {
  const client = await socketOf("sendMessage").client();
  return client.send(conversationId, { text: content, type: messageType });
}

/** To be called at every key (T2): throttled, and stopped by itself. */
export async function sendTypingIndicator(conversationId: string, isTyping: boolean): Promise<void> {
  (await socketOf("sendTypingIndicator").client()).setTyping(conversationId, isTyping);
}

function socketOf(caller: string): TeamSocket {
  if (current) return current;
  throw new ChatError(
    "config",
    `${caller}() needs a socket: call initializeSocket(token, { url, userId }) before`,
  );
}
