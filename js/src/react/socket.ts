// The hook of the channels guide (H1). It stands alone, without a provider: components with the same configuration share one
// socket, which lives as long as one of them.
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { ChatSocketClient, type SocketConfig } from "../compat/channels.js";
import { guarded, guardedAsync, Subscribers } from "../emitter.js";

/** What `useSocket` takes. While `userId` is not there, or `token` is null, nobody is logged in, and there is no socket. */
export type SharedConfig = Omit<SocketConfig, "userId" | "token"> & {
  userId?: string | number | null | undefined;
  token?: string | null | undefined;
};

/** What `useSocket` gives; null on a server, and until the component is mounted. */
export type SocketHandle = { readonly socket: ChatSocketClient | null };

const nothing: SocketHandle = Object.freeze({ socket: null });
const shared = new Map<string, Shared>();

/** A component, as what it stands for here. */
type User = object;

class Shared {
  snapshot = nothing;
  #token: string | undefined;
  /** One configuration for each component. */
  readonly #configs = new Map<User, SharedConfig>();
  readonly #subscribers = new Subscribers();

  constructor(private readonly key: string) {}

  /** The latest configuration of this component: its callbacks are called from now on. A token that is new is the next one. */
  configure(user: User, config: SharedConfig): void {
    const token = config.token ?? undefined;
    const isNew = token !== undefined && token !== this.#configs.get(user)?.token && token !== this.#token;
    this.#configs.set(user, config);
    if (!isNew) return;
    this.#token = token;
    this.snapshot.socket?.updateToken(token);
  }

  subscribe(user: User, listener: () => void): () => void {
    const remove = this.#subscribers.add(listener);
    if (!this.snapshot.socket) this.#open();
    return () => {
      remove();
      this.#configs.delete(user);
      // StrictMode takes a component off and puts it back within one task.
      setTimeout(() => this.#closeUnused(), 0);
    };
  }

  #open(): void {
    const all = () => [...this.#configs.values()];
    const latest = () => all().findLast(({ getToken }) => getToken);
    const { getToken, ...config } = latest() ?? all().at(-1) ?? {};
    const socket = new ChatSocketClient({
      ...config,
      token: this.#token,
      ...(getToken && { getToken: (request) => (latest()?.getToken ?? getToken)(request) }),
      onAuthError: (error) =>
        freshOf(all().map(({ onAuthError }) => guardedAsync(() => onAuthError?.(error)))),
      onConnectionError: (error) => {
        for (const { onConnectionError } of all()) guarded(() => onConnectionError?.(error));
      },
      onReconnect: () => {
        for (const { onReconnect } of all()) guarded(() => onReconnect?.());
      },
    });
    this.snapshot = { socket };
    this.#subscribers.notify();
    // How it fares is told by the callbacks.
    socket.connect().catch(() => {});
  }

  #closeUnused(): void {
    const { socket } = this.snapshot;
    if (this.#subscribers.size > 0 || !socket) return;
    this.snapshot = nothing;
    if (shared.get(this.key) === this) shared.delete(this.key);
    socket.close().catch(() => {});
  }
}

/** The token that one of them gives, if any does. */
async function freshOf(answers: readonly Promise<unknown>[]): Promise<string | undefined> {
  return (await Promise.all(answers)).find((answer) => typeof answer === "string");
}

/** What makes it another socket: neither a token nor a callback is part of it. */
function identityOf({ token, wasm: _wasm, client, ...config }: SharedConfig): string | null {
  // Nobody is logged in.
  if (!client && ((config.userId ?? "") === "" || token === null)) return null;
  try {
    return JSON.stringify([client?.userId, config]);
  } catch {
    // `createChat` refuses these, and says why.
    return "unreadable";
  }
}

/**
 * A socket of the channels guide (H1): made, connected and closed with the component. The same object at every render; `onAuthError`,
 * `onConnectionError` and `onReconnect` tell how it fares.
 */
export function useSocket(config: SharedConfig): SocketHandle {
  const key = identityOf(config);
  const [user] = useState<User>(() => ({}));
  // Before the one below, so that a socket is made of the configuration of this render.
  useEffect(() => {
    if (key === null) return;
    const there = shared.get(key) ?? new Shared(key);
    shared.set(key, there);
    there.configure(user, config);
  });
  const there = () => (key === null ? undefined : shared.get(key));
  const subscribe = useCallback(
    (listener: () => void) => (key !== null && shared.get(key)?.subscribe(user, listener)) || (() => {}),
    [key, user],
  );
  return useSyncExternalStore(
    subscribe,
    () => there()?.snapshot ?? nothing,
    () => nothing,
  );
}
