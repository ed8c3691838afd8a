import type { ChatClient } from "../client.js";
import { Subscribers } from "../emitter.js";
import { ChatError, toChatError } from "../errors.js";
import { createChat } from "../index.js";
import type { ChatOptions, Readable } from "../types.js";

export type SessionState = { readonly client: ChatClient | null; readonly error: ChatError | null };

/** Where the hooks below a provider find their client, which may not be there yet. */
export interface Session extends Readable<SessionState> {
  /** The client as soon as there is one; rejects if it cannot be made. */
  ready(): Promise<ChatClient>;
}

const nothing: SessionState = Object.freeze({ client: null, error: null });
const given = new WeakMap<ChatClient, Session>();

/** The session of a client that the application made, and connects and closes itself. */
export function sessionOf(client: ChatClient): Session {
  let session = given.get(client);
  if (!session) {
    const state = { client, error: null };
    session = { getSnapshot: () => state, subscribe: () => () => {}, ready: async () => client };
    given.set(client, session);
  }
  return session;
}

/** For hooks without a provider above them. */
export const noSession = emptySession("chatwire's hooks need a <ChatProvider> above them");

/** For hooks below a provider to which nobody has logged in. */
export const loggedOut = emptySession(
  "nobody is logged in: <WebSocketProvider> needs a userId and a token, or getToken",
);

function emptySession(message: string): Session {
  return {
    getSnapshot: () => nothing,
    subscribe: () => () => {},
    ready: async () => {
      throw new ChatError("config", message);
    },
  };
}

/**
 * A client that a provider makes, connects and closes. It lives as long as somebody holds it; one that is let go and
 * taken again in the same task, as StrictMode does, is the same client with the same connection.
 */
export class OwnSession implements Session {
  #state = nothing;
  #holders = 0;
  #making: Promise<void> | undefined;
  #closed: Promise<void> = Promise.resolve();
  readonly #subscribers = new Subscribers();

  /** `options` is asked when the client is made; its `getToken` whenever a token is wanted. */
  constructor(private readonly options: () => ChatOptions) {}

  readonly getSnapshot = (): SessionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => this.#subscribers.add(listener);

  readonly ready = (): Promise<ChatClient> =>
    new Promise((resolve, reject) => {
      const settle = () => {
        const { client, error } = this.#state;
        if (client) resolve(client);
        else if (error) reject(error);
        return client !== null || error !== null;
      };
      if (settle()) return;
      const stop = this.subscribe(() => {
        if (settle()) stop();
      });
    });

  /** Makes the client if there is none. The function returned lets go. */
  hold(): () => void {
    this.#holders += 1;
    this.#making ??= this.#make();
    return () => {
      this.#holders -= 1;
      setTimeout(() => this.#closeUnheld(), 0);
    };
  }

  async #make(): Promise<void> {
    // The store of the last one has to be given back first.
    await this.#closed;
    const options = this.options();
    const { getToken } = options;
    try {
      const latest: ChatOptions["getToken"] = (request) =>
        (this.options().getToken ?? getToken)?.(request) ?? "";
      const client = await createChat({ ...options, getToken: getToken && latest });
      this.#show({ client, error: null });
      // How connecting fares is told by the connection's state and events.
      client.connect().catch(() => {});
    } catch (error) {
      this.#show({ client: null, error: toChatError(error) });
    }
  }

  #closeUnheld(): void {
    const making = this.#making;
    if (this.#holders > 0 || !making) return;
    this.#making = undefined;
    this.#closed = making.then(async () => {
      const { client } = this.#state;
      this.#show(nothing);
      await client?.close().catch(() => {});
    });
  }

  #show(state: SessionState): void {
    this.#state = state;
    this.#subscribers.notify();
  }
}
