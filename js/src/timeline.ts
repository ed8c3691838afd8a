import type { ViewUpdate } from "./core.js";
import { Subscribers } from "./emitter.js";
import { ChatError, check } from "./errors.js";
import type { Failure, Message, Readable, TimelineSnapshot } from "./types.js";

/** A window on a conversation's history, opened on its newest messages. */
export interface Timeline extends Readable<TimelineSnapshot> {
  /** What it is a window on. */
  readonly conversationId: string;
  /** Widens the window by `count` earlier messages (50 by default); done when they are in the snapshot. */
  loadEarlier(count?: number): Promise<void>;
  /** Widens a window that does not show the newest messages by `count` later ones (50 by default). */
  loadLater(count?: number): Promise<void>;
  /**
   * Shows the messages around this one; done when they are in the snapshot.
   * Rejects with `notFound` where it is not stored here: what is older comes with `loadEarlier()`.
   */
  jumpTo(rowKey: string): Promise<void>;
  /** Shows the newest messages again. */
  toNewest(): Promise<void>;
  /** Asks the server again for what is missing (`gaps` in the snapshot). */
  fillGaps(): Promise<void>;
  /** Gives the window back. The last snapshot stays readable and changes no more. */
  close(): void;
}

/** What a window shows before the core has told anything. */
export const emptyTimeline: TimelineSnapshot = Object.freeze({
  messages: Object.freeze([]),
  hasEarlier: false,
  hasLater: false,
  gaps: Object.freeze([]),
  loading: true,
  error: null,
  phase: "restored",
});

/** What a window asks of the core. */
type Commands = {
  loadEarlier(view: number, count: number): Promise<void>;
  loadLater(view: number, count: number): Promise<void>;
  jumpTo(view: number, rowKey: string): Promise<void>;
  toNewest(view: number): Promise<void>;
  fillGaps(view: number): Promise<void>;
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

  async loadLater(count = 50): Promise<void> {
    await this.commands.loadLater(this.view, check.count("count", count, 1000));
  }

  async jumpTo(rowKey: string): Promise<void> {
    await this.commands.jumpTo(this.view, check.id("rowKey", rowKey));
  }

  async toNewest(): Promise<void> {
    await this.commands.toNewest(this.view);
  }

  async fillGaps(): Promise<void> {
    await this.commands.fillGaps(this.view);
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
class WindowRows {
  #rows = new Map<number, Message>();
  #order: readonly number[] = [];
  #gapSlots: readonly number[] = [];
  #gaps: readonly string[] = emptyTimeline.gaps;
  #failure: Failure | null = null;
  #snapshot: TimelineSnapshot = emptyTimeline;

  get snapshot(): TimelineSnapshot {
    return this.#snapshot;
  }

  /** Takes an update in; true if the snapshot has changed. */
  apply(update: ViewUpdate): boolean {
    const moved = update.rows.length > 0 || !sameOrder(this.#order, update.order);
    const messages = moved ? this.#reorder(update) : this.#snapshot.messages;
    if (moved || !sameOrder(this.#gapSlots, update.gaps)) this.#showGaps(update.gaps);
    return this.#show({
      messages,
      hasEarlier: update.hasEarlier,
      hasLater: update.hasLater,
      gaps: this.#gaps,
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

  #showGaps(slots: readonly number[]): void {
    const keys = slots.flatMap((slot) => this.#rows.get(slot)?.rowKey ?? []);
    this.#gapSlots = slots;
    if (keys.join() !== this.#gaps.join()) this.#gaps = keys;
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
