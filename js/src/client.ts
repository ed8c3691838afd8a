import { Awaiting } from "./awaiting.js";
import type { Core, CoreConstructor, Event, ViewUpdate } from "./core.js";
import { Emitter, guarded, type Listener } from "./emitter.js";
import { type ChatError, check, closed, toChatError } from "./errors.js";
import { maxTextLength, profileName, type ReadOptions } from "./options.js";
import { Requests } from "./requests.js";
import { readDraft, readExport, readGroup, readPlace, readReaction, readSend, readTyping } from "./send.js";
import { closedBy, Snapshots } from "./snapshots.js";
import { eventName, Teller } from "./tell.js";
import { type Timeline, TimelineView } from "./timeline.js";
import type {
  ChatEvents,
  ConnectionSnapshot,
  Conversation,
  Diagnostics,
  Draft,
  Guarantees,
  Json,
  Message,
  Phase,
  Presence,
  Readable,
  SendOptions,
} from "./types.js";
import { askToken, orAborted, readSignal } from "./waiting.js";
import { watcher } from "./warn.js";
import { Wire } from "./wire.js";

/**
 * One user at one backend. It holds no chat state of its own: the core in the wasm does, and this shows the last that
 * the core has told. Methods that return a promise never throw; the others throw `ChatError`.
 */
export class ChatClient {
  /** The backend's own events. */
  readonly wire: Wire;
  /** Whose client this is: the user's id at the backend. */
  readonly userId: string;
  /** The profile's name. */
  readonly profile: string;
  /** The most characters of a message. */
  readonly maxTextLength: number;
  readonly #core: Core;
  readonly #emitter = new Emitter<ChatEvents>(() => this.#hear());
  readonly #teller = new Teller(this.#emitter);
  readonly #snapshots = new Snapshots();
  readonly #awaiting = new Awaiting();
  readonly #requests: Requests;
  readonly #views = new Map<number, TimelineView>();
  #lastView = 0;
  /** What the core told before anybody could listen; once `restored`, with the ends of calls, which come in their place. */
  #untold: { events: Event[]; ends: boolean } | undefined = { events: [], ends: false };
  #closing: Promise<void> | undefined;

  /** Use `createChat`, which loads the core. */
  constructor(CoreClass: CoreConstructor, { plain, getToken, receive, asked }: ReadOptions) {
    this.#requests = new Requests(
      () => this.#core,
      (error) => this.#onTrap(error),
    );
    this.wire = new Wire(this.#requests, receive, () => this.connection);
    this.userId = String(plain.userId);
    this.profile = profileName(plain);
    this.maxTextLength = maxTextLength(plain);
    this.#snapshots.watch = watcher(this.profile, plain.logLevel);
    this.#core = new CoreClass(plain, {
      onBatch: (json) => this.#onBatch(JSON.parse(json) as Event[]),
      getToken: (reason) => askToken(getToken, reason),
      ...asked,
    });
  }

  /** For `createChat`: the store is read. What was told until then listeners hear in the task after it. @internal */
  async restored(): Promise<this> {
    await this.outbox();
    if (this.#untold) this.#untold.ends = true;
    setTimeout(() => {
      const events = this.#untold?.events ?? [];
      this.#untold = undefined;
      for (const event of events) guarded(() => this.#tell(event));
      this.#hear();
    }, 0);
    return this;
  }

  // ── connection ────────────────────────────────────────────────────────────

  /**
   * Resolves at the first `online` and stays pending while offline; rejects when the client fails or is closed. The
   * signal ends the waiting (code `cancelled`), not the connecting: `disconnect()` does that.
   */
  async connect(options: { signal?: AbortSignal | undefined } | null = {}): Promise<void> {
    this.#requests.assertOpen();
    const signal = readSignal(options);
    const online = this.#requests.run({ connect: {} });
    await (signal ? orAborted(online, signal) : online);
  }

  /** Disconnects and stays so until the next `connect()`. What is queued waits in the store. */
  disconnect(): void {
    if (!this.#closing) this.#report(this.#requests.run({ disconnect: {} }));
  }

  /** Ends this client; resolves when the store has everything. Other calls reject with `closed` from now on. */
  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  /** The connection as it is now; the event is `connection`. */
  get connection(): ConnectionSnapshot {
    return this.#snapshots.connection;
  }

  /** How far all conversations have caught up; the event is `phase`. */
  get phase(): Phase {
    return this.#snapshots.phase;
  }

  /** What may be promised against this backend, and why no more. */
  get guarantees(): Guarantees {
    return this.#snapshots.guarantees;
  }

  /** What an assistant's backend has told last about the session; null where it told nothing. The wire event is `context`. */
  get context(): Json {
    return this.#snapshots.context;
  }

  // ── events ────────────────────────────────────────────────────────────────

  /** Hears every `event` from now on. The function returned takes the listener off again. */
  on<E extends keyof ChatEvents>(event: E, listener: Listener<ChatEvents[E]>): () => void {
    return this.#emitter.on(eventName(event), check.function("listener", listener));
  }

  /** Hears the next `event` only. The function returned takes the listener off again. */
  once<E extends keyof ChatEvents>(event: E, listener: Listener<ChatEvents[E]>): () => void {
    return this.#emitter.once(eventName(event), check.function("listener", listener));
  }

  /** Takes the oldest entry of this listener off; nothing happens if there is none. */
  off<E extends keyof ChatEvents>(event: E, listener: Listener<ChatEvents[E]>): void {
    this.#emitter.off(event, listener);
  }

  /** Takes every listener off, of `event` or of all events. */
  removeAllListeners(event?: keyof ChatEvents): void {
    this.#emitter.removeAllListeners(event);
  }

  /** How many listeners `event` has. */
  listenerCount(event: keyof ChatEvents): number {
    return this.#emitter.listenerCount(event);
  }

  // ── sending ───────────────────────────────────────────────────────────────

  /** Resolves when the message is durable (`durable: false` where only memory is left). */
  async send(
    conversationId: string,
    content: string | Draft,
    options: SendOptions | null = {},
  ): Promise<Message> {
    return this.#requests.get("message", { send: readSend(conversationId, content, options) });
  }

  /** Resolves with the server's copy of an own message, or rejects as the message fails. */
  async acknowledged(key: string | null): Promise<Message> {
    return this.#requests.get("message", { acknowledged: { key: check.id("key", key) } });
  }

  /**
   * Another text for an own message, also for one that is still on its way. Resolves when it is durable, with its entry of
   * `outbox()`, whose key is good for `cancel`, `resend`, `discard` and `acknowledged` (which gives the edited message).
   * Shown at once; a refusal takes it back, is an `error` event, and leaves the entry `failed`.
   */
  async edit(rowKey: string, text: string): Promise<Message> {
    const edit = { rowKey: check.id("rowKey", rowKey), text: check.string("text", text) };
    return this.#requests.get("message", { edit });
  }

  /** Takes a message away from everybody, as `edit` changes it. */
  async remove(rowKey: string): Promise<Message> {
    return this.#requests.get("message", { remove: { rowKey: check.id("rowKey", rowKey) } });
  }

  /** Puts this user's emoji on a message, anybody's, as `edit` changes it. */
  async react(rowKey: string, emoji: string): Promise<Message> {
    return this.#requests.get("message", { react: readReaction(rowKey, emoji) });
  }

  /** Takes it off again. */
  async unreact(rowKey: string, emoji: string): Promise<Message> {
    return this.#requests.get("message", { unreact: readReaction(rowKey, emoji) });
  }

  /** Sends a copy into another conversation, its attachments in the metadata. Resolves as `send` does. */
  async forward(rowKey: string, conversationId: string): Promise<Message> {
    return this.#requests.get("message", { forward: readPlace(conversationId, rowKey) });
  }

  /** Takes back what was never on the wire, and what was to change it; else rejects with `inFlight`. */
  async cancel(key: string | null): Promise<void> {
    await this.#requests.run({ cancel: { key: check.id("key", key) } });
  }

  /** Queues what has failed again, under the same key, behind the others; what was to change a message follows it. */
  async resend(key: string | null): Promise<void> {
    await this.#requests.run({ resend: { key: check.id("key", key) } });
  }

  /** Forgets what has failed, and what was to change it. */
  async discard(key: string | null): Promise<void> {
    await this.#requests.run({ discard: { key: check.id("key", key) } });
  }

  /** What is queued or failed, in the queue's order: messages, and (with `change`) what changes one. */
  async outbox(): Promise<Message[]> {
    return this.#requests.get("messages", { outbox: {} });
  }

  // ── conversations and people ──────────────────────────────────────────────

  /** Opens a window on a conversation; `close()` gives it back. */
  timeline(conversationId: string): Timeline {
    check.id("conversationId", conversationId);
    this.#requests.assertOpen();
    const view = new TimelineView(++this.#lastView, conversationId, {
      loadEarlier: async (view, count) => void (await this.#requests.run({ loadEarlier: { view, count } })),
      loadLater: async (view, count) => void (await this.#requests.run({ loadLater: { view, count } })),
      jumpTo: async (view, rowKey) => void (await this.#requests.run({ jumpTo: { view, rowKey } })),
      toNewest: async (view) => void (await this.#requests.run({ toNewest: { view } })),
      fillGaps: async (view) => void (await this.#requests.run({ fillGaps: { view } })),
      closeTimeline: (view) => this.#closeView(view),
    });
    this.#views.set(view.view, view);
    this.#requests.run({ openTimeline: { view: view.view, conversationId } }).catch((error: unknown) => {
      if (view.rows.fail(toChatError(error))) view.notify();
    });
    return view;
  }

  /** The conversations, pinned first, then by their newest message; archived ones only where asked for. */
  conversations(options: { archived?: boolean | undefined } | null = {}): Readable<readonly Conversation[]> {
    const { archived = false } = check.options("options", options ?? {}, ["archived"]);
    return this.#snapshots.list(check.boolean("archived", archived));
  }

  /** One conversation; null while it is not known. */
  conversation(id: string): Readable<Conversation | null> {
    return this.#snapshots.conversation(check.id("id", id));
  }

  /** The direct conversation with this user, found or made. */
  async createDirect(userId: string): Promise<Conversation> {
    return this.#requests.get("conversation", { createDirect: { userId: check.id("userId", userId) } });
  }

  /** A new group of this user and `members` (user ids). */
  async createGroup(group: { title: string; members: readonly string[] }): Promise<Conversation> {
    return this.#requests.get("conversation", { createGroup: readGroup(group) });
  }

  /** Keeps what is being written there (`Conversation.draft`); empty: removes it. To be called at every key, in any tab. */
  async setDraft(conversationId: string, text: string): Promise<void> {
    await this.#requests.run({ setDraft: readDraft(conversationId, text) });
  }

  /** Says that this user is typing; to be called at every key, the core throttles and stops by itself. */
  setTyping(conversationId: string, typing: boolean): void {
    this.#requests.assertOpen();
    this.#report(this.#requests.run({ setTyping: readTyping(conversationId, typing) }));
  }

  /** Who else is typing there now, by user id. The same array until it changes; the event is `typing`. */
  typing(conversationId: string): readonly string[] {
    return this.#snapshots.typing(check.id("conversationId", conversationId));
  }

  /** Everything up to this message is read. */
  async markRead(conversationId: string, rowKey: string): Promise<void> {
    await this.#requests.run({ markRead: readPlace(conversationId, rowKey) });
  }

  /** What is known of somebody's presence; null if nothing was told. The event is `presence`. */
  presence(userId: string): Presence | null {
    return this.#snapshots.presence(check.id("userId", userId));
  }

  // ── the store, and what goes on ───────────────────────────────────────────

  /** What this device has of a conversation: the text of an `ExportedConversation`, or lines with times in UTC. */
  async exportConversation(id: string, format: "json" | "text"): Promise<string> {
    return this.#requests.get("text", { exportConversation: readExport(id, format) });
  }

  /** Deletes everything that this device keeps of this user at this backend, also what is queued. */
  async wipe(): Promise<void> {
    await this.#requests.run({ wipe: {} });
  }

  /** The state of the core for a bug report: no tokens, no texts. */
  diagnostics(): Diagnostics {
    this.#requests.assertOpen();
    return JSON.parse(this.#core.diagnostics()) as Diagnostics;
  }

  // ── what the core tells ───────────────────────────────────────────────────

  /** Snapshots first, then those who watch them, then events: a listener never sees older state than its event. */
  #onBatch(told: readonly Event[]): void {
    const events = this.profile === "assistant" ? told.flatMap(this.#awaiting.read) : told;
    const changed = new Set<TimelineView>();
    // What another tab's version has told may not be as expected: it takes nothing else along.
    for (const event of events) {
      guarded(() => {
        if (event.type === "view") this.#applyView(event, changed);
        else this.#snapshots.apply(event);
      });
    }
    this.#snapshots.flush();
    for (const view of changed) view.notify();
    for (const event of events) {
      const isEnd = event.type === "done" || event.type === "refused";
      if (this.#untold && (this.#untold.ends || !isEnd)) this.#untold.events.push(event);
      else guarded(() => this.#tell(event));
    }
  }

  /** To tell of each message is a good part of what a burst costs: the core is spared it while nobody listens. */
  #hear(): void {
    // What comes before the first listener can be there is kept for it; the assistant's typing ends with its message.
    const always = this.#untold || this.profile === "assistant";
    if (!always && !this.#closing) this.#core.hear(this.listenerCount("message") > 0);
  }

  #applyView(update: ViewUpdate, changed: Set<TimelineView>): void {
    const view = this.#views.get(update.view);
    if (view?.rows.apply(update)) changed.add(view);
  }

  #tell(event: Event): void {
    switch (event.type) {
      case "done":
        this.#requests.done(event);
        break;
      case "refused":
        this.#requests.refused(event);
        break;
      case "wire":
        this.wire.tell(event);
        break;
      case "view":
      case "guarantees":
        break;
      case "message":
        this.#snapshots.ledAs(event.leader, () => this.#teller.tell(event));
        break;
      default:
        this.#teller.tell(event);
    }
  }

  #closeView(view: number): void {
    if (!this.#views.delete(view) || this.#closing) return;
    this.#report(this.#requests.run({ closeTimeline: { view } }));
  }

  /** For commands whose caller does not wait: their failure is an `error` event. */
  #report(run: Promise<unknown>): void {
    run.catch((error: unknown) => {
      if (!this.#closing) this.#emitter.emit("error", toChatError(error));
    });
  }

  async #shut(): Promise<void> {
    const done = this.#requests.run({ close: {} });
    this.#requests.shut();
    try {
      await done;
    } finally {
      this.#end(closed(), "closed");
      // After the task in which the core told its end: it cannot be freed while it is telling.
      this.#core.free();
    }
  }

  #onTrap(error: ChatError): void {
    this.#closing ??= Promise.resolve();
    this.#end(error, error.message);
    this.#emitter.emit("error", error);
  }

  /** The core says nothing of its own end. */
  #end(error: ChatError, reason: string): void {
    this.#requests.end(error);
    this.#views.clear();
    this.#onBatch([{ type: "connection", connection: closedBy(reason) }]);
  }
}
