// The hook of the channels guide (H1). It stands alone, without a provider: components with the same configuration share one
// socket, which lives as long as one of them.
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { ChatSocketClient, type SocketConfig } from "../compat/channels.js";
import { Subscribers } from "../emitter.js";

/** What `useSocket` gives; null on a server, and until the component is mounted. */
export type SocketHandle = { readonly socket: ChatSocketClient | null };

const nothing: SocketHandle = Object.freeze({ socket: null });
const shared = new Map<string, Shared>();

class Shared {
  snapshot = nothing;
  #config: SocketConfig;
  readonly #subscribers = new Subscribers();

  constructor(
    private readonly key: string,
    config: SocketConfig,
  ) {
    this.#config = config;
  }

  /** The latest configuration: its callbacks are called from now on, and its token is the next one. */
  set config(config: SocketConfig) {
    const { token } = config;
    const isNew = token !== undefined && token !== this.#config.token;
    this.#config = config;
    if (isNew) this.snapshot.socket?.updateToken(token);
  }

  subscribe(listener: () => void): () => void {
    const remove = this.#subscribers.add(listener);
    if (!this.snapshot.socket) this.#open();
    return () => {
      remove();
      // StrictMode takes a component off and puts it back within one task.
      setTimeout(() => this.#closeUnused(), 0);
    };
  }

  #open(): void {
    const { getToken, ...config } = this.#config;
    const socket = new ChatSocketClient({
      ...config,
      ...(getToken && { getToken: (request) => this.#config.getToken?.(request) ?? "" }),
      onAuthError: (error) => this.#config.onAuthError?.(error),
      onConnectionError: (error) => this.#config.onConnectionError?.(error),
      onReconnect: () => this.#config.onReconnect?.(),
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

/** What makes it another socket: neither a token nor a callback is part of it. */
function identityOf({ token: _, wasm: _wasm, client, ...config }: SocketConfig): string {
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
export function useSocket(config: SocketConfig): SocketHandle {
  const key = identityOf(config);
  // Before the one below, so that a socket is made of the configuration of this render.
  useEffect(() => {
    const there = shared.get(key);
    if (there) there.config = config;
    else shared.set(key, new Shared(key, config));
  });
  const subscribe = useCallback(
    (listener: () => void) => shared.get(key)?.subscribe(listener) ?? (() => {}),
    [key],
  );
  return useSyncExternalStore(
    subscribe,
    () => shared.get(key)?.snapshot ?? nothing,
    () => nothing,
  );
}
