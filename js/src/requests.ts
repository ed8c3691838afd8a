import type { Command, Core, EventOf, Outcome, OutcomeValue } from "./core.js";
import { ChatError, closed, isCoded, toChatError, toJson } from "./errors.js";

type Waiting = { resolve(outcome: Outcome): void; reject(error: ChatError): void };

/** Commands under way. Each ends exactly once: done, refused, or with the client. */
export class Requests {
  readonly #waiting = new Map<number, Waiting>();
  #ended: ChatError | undefined;

  /** `onTrap` hears that the core itself broke: nothing can be asked of it any more. */
  constructor(
    private readonly core: () => Core,
    private readonly onTrap: (error: ChatError) => void,
  ) {}

  /** Runs a command to its end. Never throws: what is wrong rejects. */
  async run(command: Command): Promise<Outcome> {
    const id = this.#begin(command);
    return new Promise<Outcome>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** The same, for a command that ends with a value of this kind. */
  async get<K extends Outcome["kind"]>(kind: K, command: Command): Promise<OutcomeValue<K>> {
    const outcome = await this.run(command);
    if (outcome.kind !== kind) {
      throw new ChatError("protocol", `the core ended a command with ${outcome.kind} instead of ${kind}`);
    }
    return ("value" in outcome ? outcome.value : undefined) as OutcomeValue<K>;
  }

  done({ id, outcome }: EventOf<"done">): void {
    this.#take(id)?.resolve(outcome);
  }

  refused({ id, error }: EventOf<"refused">): void {
    this.#take(id)?.reject(ChatError.from(error));
  }

  /** Takes no more commands. Those under way may still end by themselves. */
  shut(): void {
    this.#ended ??= closed();
  }

  /** Ends those under way with this error. */
  end(error: ChatError): void {
    this.#ended ??= error;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }

  /** Throws if commands are not taken any more. */
  assertOpen(): void {
    if (this.#ended) throw this.#ended;
  }

  #begin(command: Command): number {
    this.assertOpen();
    // Apart from the core: what is thrown here is not a trap.
    const json = toJson("the call", command) as string;
    try {
      return this.core().command(json);
    } catch (error) {
      if (isCoded(error)) throw toChatError(error);
      const trap = new ChatError("closed", "the core broke: this client is closed", { cause: error });
      this.onTrap(trap);
      throw trap;
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
