import type { Event } from "./core.js";
import { Subscribers } from "./emitter.js";
import type {
  ConnectionSnapshot,
  Conversation,
  Guarantees,
  Json,
  Phase,
  Presence,
  Readable,
} from "./types.js";

/** People whose presence is remembered; the longest untold is forgotten first. */
const maxPresences = 5_000;
const nobody: readonly string[] = Object.freeze([]);

/**
 * The last that the core has told of connection, guarantees, conversations, presence and typing. Values are replaced,
 * never changed, so that each is the same object until something in it changes.
 */
export class Snapshots {
  connection: ConnectionSnapshot = {
    state: "idle",
    reason: null,
    retryInMs: null,
    attempt: 0,
    since: new Date().toISOString(),
    socketId: null,
    leader: false,
  };
  guarantees: Guarantees = {
    delivery: "at-most-once",
    order: false,
    gaps: "unseen",
    receipts: false,
    because: ["not known yet: the backend has not said what it gives"],
  };
  context: Json = null;
  phase: Phase = "restored";
  /** Looks at each batch. */
  watch: ((known: Snapshots) => void) | undefined;
  /** What the core has told last, and whether the backend has been heard by then. */
  #given = this.guarantees;
  #isHeard = false;
  readonly #conversations = new Map<string, Conversation>();
  readonly #presences = new Map<string, Presence>();
  readonly #typing = new Map<string, readonly string[]>();
  readonly #active = new ConversationList(this.#conversations, false);
  readonly #archived = new ConversationList(this.#conversations, true);
  readonly #single = new Map<string, Subscribers>();
  readonly #touched = new Set<string>();

  list(archived: boolean): Readable<readonly Conversation[]> {
    return archived ? this.#archived : this.#active;
  }

  conversation(id: string): Readable<Conversation | null> {
    return {
      getSnapshot: () => this.#conversations.get(id) ?? null,
      subscribe: (listener) => this.#subscribeTo(id, listener),
    };
  }

  presence(userId: string): Presence | null {
    return this.#presences.get(userId) ?? null;
  }

  typing(conversationId: string): readonly string[] {
    return this.#typing.get(conversationId) ?? nobody;
  }

  /** Takes an event in, if it is one that changes a snapshot. Subscribers hear of it at `flush`. */
  apply(event: Event): void {
    switch (event.type) {
      case "connection":
        this.connection = event.connection;
        break;
      case "guarantees":
        this.#show(event.guarantees);
        break;
      case "phase":
        this.phase = event.phase;
        if (event.phase !== "restored") this.#isHeard = true;
        this.#show(this.#given);
        break;
      case "leader":
        if (this.connection.leader !== event.leader)
          this.connection = { ...this.connection, leader: event.leader };
        break;
      case "conversation":
        this.#conversations.set(event.conversation.id, event.conversation);
        this.#touched.add(event.conversation.id);
        break;
      case "conversationRemoved":
        this.#conversations.delete(event.conversationId);
        this.#touched.add(event.conversationId);
        break;
      case "presence":
        this.#setPresence(presenceOf(event));
        break;
      case "wire":
        if (event.event === "context" && Array.isArray(event.args.json))
          this.context = event.args.json[0] ?? null;
        break;
      case "typing":
        this.#setTyping(event.conversationId, event.userId, event.typing);
        break;
    }
  }

  /** Shows the lead as it was when something was told, while that is told. */
  ledAs(leader: boolean, tell: () => void): void {
    const now = this.connection;
    const then = now.leader === leader ? now : { ...now, leader };
    this.connection = then;
    tell();
    // A listener may have made it another meanwhile.
    if (this.connection === then) this.connection = now;
  }

  /** Before the backend is heard it is the profile's own word, or what the backend gave another time: its reasons may be wrong. */
  #show(given: Guarantees): void {
    const { because } = this.guarantees;
    this.#given = given;
    this.guarantees = this.#isHeard ? given : { ...given, because };
  }

  flush(): void {
    this.watch?.(this);
    if (this.#touched.size === 0) return;
    const touched = [...this.#touched];
    this.#touched.clear();
    this.#active.changed();
    this.#archived.changed();
    for (const id of touched) this.#single.get(id)?.notify();
  }

  #subscribeTo(id: string, listener: () => void): () => void {
    const subscribers = this.#single.get(id) ?? new Subscribers();
    this.#single.set(id, subscribers);
    const remove = subscribers.add(listener);
    return () => {
      remove();
      if (subscribers.size === 0 && this.#single.get(id) === subscribers) this.#single.delete(id);
    };
  }

  #setPresence(presence: Presence): void {
    this.#presences.delete(presence.userId);
    this.#presences.set(presence.userId, presence);
    if (this.#presences.size <= maxPresences) return;
    for (const oldest of this.#presences.keys()) {
      this.#presences.delete(oldest);
      break;
    }
  }

  #setTyping(conversationId: string, userId: string, typing: boolean): void {
    const now = this.typing(conversationId);
    if (now.includes(userId) === typing) return;
    const next = typing ? [...now, userId] : now.filter((id) => id !== userId);
    if (next.length > 0) this.#typing.set(conversationId, next);
    else this.#typing.delete(conversationId);
  }
}

/** The connection of a client that has ended. */
export function closedBy(reason: string): ConnectionSnapshot {
  const since = new Date().toISOString();
  return { state: "closed", reason, retryInMs: null, attempt: 0, since, socketId: null, leader: false };
}

/** The event's presence, in the public shape. */
export function presenceOf(event: { userId: string; online: boolean; lastSeenMs: number | null }): Presence {
  const lastSeen = event.lastSeenMs === null ? null : new Date(event.lastSeenMs).toISOString();
  return { userId: event.userId, online: event.online, lastSeen };
}

/** Pinned first, then by the newest message, then by title. */
class ConversationList implements Readable<readonly Conversation[]> {
  #snapshot: readonly Conversation[] | undefined;
  readonly #subscribers = new Subscribers();

  constructor(
    private readonly all: ReadonlyMap<string, Conversation>,
    private readonly archived: boolean,
  ) {}

  readonly getSnapshot = (): readonly Conversation[] => {
    this.#snapshot ??= [...this.all.values()].filter((c) => c.archived === this.archived).sort(inOrder);
    return this.#snapshot;
  };

  readonly subscribe = (listener: () => void): (() => void) => this.#subscribers.add(listener);

  /** Something in the map has changed; only a list that looks different is told. */
  changed(): void {
    const last = this.#snapshot;
    this.#snapshot = undefined;
    // Where nobody has looked yet it is put in order when somebody does.
    if (last !== undefined) {
      const next = this.getSnapshot();
      if (last.length === next.length && last.every((conversation, index) => conversation === next[index])) {
        this.#snapshot = last;
        return;
      }
    }
    this.#subscribers.notify();
  }
}

function inOrder(a: Conversation, b: Conversation): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  const [timeA, timeB] = [a.lastMessage?.createdAt ?? "", b.lastMessage?.createdAt ?? ""];
  if (timeA !== timeB) return timeA > timeB ? -1 : 1;
  return a.title.localeCompare(b.title) || (a.id < b.id ? -1 : 1);
}
