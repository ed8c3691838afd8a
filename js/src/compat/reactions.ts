// Reactions one by one, as the wires tell them (D4, D7). The client says of which message they have changed, in every tab; what
// has changed is what differs from what was told of it last.
import type { ChatClient } from "../client.js";
import { withWindow } from "../ids.js";
import { forgetOldest } from "../oldest.js";
import type { Message, Reaction } from "../types.js";

export type ReactionChange = {
  /** The server's id. */
  messageId: string;
  emoji: string;
  userId: string;
  op: "add" | "remove";
};

/** Messages whose reactions are remembered; the one longest untold is forgotten first. */
const maxKnown = 2_000;

type Shown = Pick<Message, "rowKey" | "reactions">;

/**
 * Tells each reaction that comes or goes, while `isHeard` says that somebody listens. Of a message that is not remembered all that
 * it has is told as added: each is a value and no step. `within`: of this conversation alone.
 */
export class ReactionTeller {
  readonly #known = new Map<string, readonly Reaction[]>();
  /** Row keys by conversation, while they are looked at. */
  readonly #due = new Map<string, Set<string>>();
  #isStopped = false;

  constructor(
    private readonly client: ChatClient,
    private readonly isHeard: () => boolean,
    private readonly tell: (change: ReactionChange) => void,
    private readonly within?: string,
  ) {}

  /** What it gives takes its listeners off. */
  start(): (() => void)[] {
    const { client } = this;
    for (const { id, lastMessage } of client.conversations().getSnapshot()) this.#remember(id, lastMessage);
    return [
      client.on("message", (message) => {
        // Behind the message itself, whoever hears of it first.
        if (!this.#isOther(message.conversationId)) queueMicrotask(() => this.#compare(message, []));
      }),
      client.on("conversation", ({ id, lastMessage }) => this.#remember(id, lastMessage)),
      client.on("messageDeleted", ({ rowKey }) => void this.#known.delete(rowKey)),
      client.on("reaction", ({ conversationId, rowKey }) => {
        if (this.#isOther(conversationId)) return;
        if (this.isHeard()) this.#look(conversationId, rowKey);
        else this.#known.delete(rowKey);
      }),
      () => {
        this.#isStopped = true;
      },
    ];
  }

  /** Remembers what the newest messages of a conversation have. */
  async seed(conversationId: string): Promise<void> {
    const all = await withWindow(this.client, conversationId, isNotEmpty, async (timeline) =>
      timeline.getSnapshot(),
    );
    for (const message of all.messages) this.#remember(conversationId, message);
  }

  #isOther(conversationId: string): boolean {
    return this.within !== undefined && this.within !== conversationId;
  }

  /** What is looked at stays as it was told. */
  #remember(conversationId: string, message: Shown | null): void {
    if (!message || this.#isOther(conversationId)) return;
    if (!this.#known.has(message.rowKey) && !this.#due.has(conversationId)) this.#set(message);
  }

  #set({ rowKey, reactions }: Shown): void {
    this.#known.delete(rowKey);
    this.#known.set(rowKey, reactions);
    forgetOldest(this.#known, maxKnown);
  }

  #look(conversationId: string, rowKey: string): void {
    const due = this.#due.get(conversationId);
    this.#due.set(conversationId, (due ?? new Set()).add(rowKey));
    if (!due) void this.#lookAll(conversationId);
  }

  /** A new window each time: what it shows first is not older than what was told before it was opened. */
  async #lookAll(conversationId: string): Promise<void> {
    for (;;) {
      const rowKeys = this.#due.get(conversationId);
      if (!rowKeys?.size || this.#isStopped) break;
      this.#due.set(conversationId, new Set());
      // What cannot be read any more is told by nobody: it is gone, or the client is.
      const rows = await rowsOf(this.client, conversationId, [...rowKeys]).catch(() => []);
      for (const row of rows) this.#compare(row, this.#known.get(row.rowKey) ?? []);
    }
    this.#due.delete(conversationId);
  }

  #compare(message: Message, before: readonly Reaction[]): void {
    this.#set(message);
    if (this.#isStopped || !this.isHeard()) return;
    const messageId = message.id ?? message.rowKey;
    const told = (op: "add" | "remove") => (one: { emoji: string; userId: string }) =>
      this.tell({ messageId, ...one, op });
    missingIn(message.reactions, before).forEach(told("remove"));
    missingIn(before, message.reactions).forEach(told("add"));
  }
}

function isNotEmpty(messages: readonly Message[]): boolean {
  return messages.length > 0;
}

/** Those of `of` that `all` does not have. */
function missingIn(all: readonly Reaction[], of: readonly Reaction[]): { emoji: string; userId: string }[] {
  return of.flatMap(({ emoji, users }) => {
    const there = new Set(all.find((other) => other.emoji === emoji)?.users);
    return users.filter((userId) => !there.has(userId)).map((userId) => ({ emoji, userId }));
  });
}

/** These rows as they are now, those that this device has. */
async function rowsOf(
  client: ChatClient,
  conversationId: string,
  rowKeys: readonly string[],
): Promise<Message[]> {
  const rowIn = (messages: readonly Message[], rowKey: string) =>
    messages.find((message) => message.rowKey === rowKey);
  const areThere = (messages: readonly Message[]) => rowKeys.every((rowKey) => rowIn(messages, rowKey));
  return withWindow(client, conversationId, areThere, async (timeline) => {
    const found: Message[] = [];
    for (const rowKey of rowKeys) {
      const row = () => rowIn(timeline.getSnapshot().messages, rowKey);
      if (!row()) await timeline.jumpTo(rowKey).catch(() => {});
      const there = row();
      if (there) found.push(there);
    }
    return found;
  });
}
