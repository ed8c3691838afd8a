import type { ViewUpdate } from "./core.js";
import { Subscribers } from "./emitter.js";
import { ChatError, check } from "./errors.js";
import type { Failure, Message, Readable, TimelineSnapshot } from "./types.js";

/** A window on a conversation's history, opened on its newest messages. */
export interface Timeline extends Readable<TimelineSnapshot> {
  readonly conversationId: string;
  /** Widens the window by `count` earlier messages (50 by default); done when they are in the snapshot. */
  loadEarlier(count?: number): Promise<void>;
  /** Gives the window back. The last snapshot stays readable and changes no more. */
  close(): void;
}

/** What a window shows before the core has told anything. */
export const emptyTimeline: TimelineSnapshot = Object.freeze({
  messages: Object.freeze([]),
  hasEarlier: false,
  hasLater: false,
  loading: true,
  error: null,
  phase: "restored",
});

/** What a window asks of the core. */
type Commands = {
  loadEarlier(view: number, count: number): Promise<void>;
  closeTimeline(view: number): void;
};

export class TimelineView implements Timeline {
  readonly rows = new WindowRows();
  readonly #subscribers = new Subscribers();

  constructor(
    readonly view: number,
    readonly conversationId: string,
    private readonly commands: Commands,
  ) {}

  readonly getSnapshot = (): TimelineSnapshot => this.rows.snapshot;

  readonly subscribe = (listener: () => void): (() => void) => this.#subscribers.add(listener);

  async loadEarlier(count = 50): Promise<void> {
    await this.commands.loadEarlier(this.view, check.count("count", count, 1000));
  }

  close(): void {
    this.#subscribers.clear();
    this.commands.closeTimeline(this.view);
  }

  notify(): void {
    this.#subscribers.notify();
  }
}

/**
 * The rows of one window, kept by slot: a row that did not change is the same object in the next snapshot, and a
 * snapshot in which nothing changed is the same object.
 */
export class WindowRows {
  #rows = new Map<number, Message>();
  #order: readonly number[] = [];
  #failure: Failure | null = null;
  #snapshot: TimelineSnapshot = emptyTimeline;

  get snapshot(): TimelineSnapshot {
    return this.#snapshot;
  }

  /** Takes an update in; true if the snapshot has changed. */
  apply(update: ViewUpdate): boolean {
    const moved = update.rows.length > 0 || !sameOrder(this.#order, update.order);
    const messages = moved ? this.#reorder(update) : this.#snapshot.messages;
    return this.#show({
      messages,
      hasEarlier: update.hasEarlier,
      hasLater: update.hasLater,
      loading: update.loading,
      error: this.#error(update.error),
      phase: update.phase,
    });
  }

  /** Shows that the window could not be opened or widened. */
  fail(error: ChatError): boolean {
    this.#failure = error;
    return this.#show({ ...this.#snapshot, loading: false, error });
  }

  #reorder(update: ViewUpdate): readonly Message[] {
    for (const [slot, message] of update.rows) this.#rows.set(slot, message);
    const kept = new Map<number, Message>();
    for (const slot of update.order) {
      const row = this.#rows.get(slot);
      if (row) kept.set(slot, row);
    }
    this.#rows = kept;
    this.#order = update.order;
    return [...kept.values()];
  }

  #error(failure: Failure | null): ChatError | null {
    const same = failure?.code === this.#failure?.code && failure?.message === this.#failure?.message;
    if (same) return this.#snapshot.error;
    this.#failure = failure;
    return failure && ChatError.from(failure);
  }

  #show(next: TimelineSnapshot): boolean {
    const last = this.#snapshot;
    const changed = (Object.keys(next) as (keyof TimelineSnapshot)[]).some(
      (field) => next[field] !== last[field],
    );
    if (changed) this.#snapshot = next;
    return changed;
  }
}

function sameOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((slot, index) => slot === b[index]);
}
