// The hooks of a companion's guide (C11), on the client of the nearest provider.
import type { ChatClient } from "../client.js";
import { type CompanionActions, companionActions } from "../companion.js";
import type { Session } from "./session.js";
import { SessionStore } from "./store.js";

/** What `useWebSocketStatus` gives. */
export type WebSocketStatus = {
  readonly isConnected: boolean;
  /** The server's id of this connection; null while there is none, and in a tab that uses another tab's. */
  readonly socketId: string | null;
};

/** What `useWebSocket` gives. */
export type WebSocketApi = WebSocketStatus & CompanionActions;

function statusOf(client: ChatClient | null): WebSocketStatus {
  const { state, socketId } = client?.connection ?? { state: "idle", socketId: null };
  return { isConnected: state === "online", socketId };
}

export class WebSocketStatusStore extends SessionStore<WebSocketStatus> {
  protected override read(client: ChatClient | null): WebSocketStatus {
    return statusOf(client);
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    return client.on("connection", changed);
  }
}

export class WebSocketStore extends SessionStore<WebSocketApi> {
  readonly #actions: CompanionActions;

  constructor(session: Session) {
    super(session);
    this.#actions = companionActions(session.ready, () => session.getSnapshot().client);
  }

  protected override read(client: ChatClient | null): WebSocketApi {
    return { ...statusOf(client), ...this.#actions };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    return client.on("connection", changed);
  }
}
