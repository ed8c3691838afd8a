// A `team` backend in memory: clients reach it by its address, over a link that a test plays.
import { type ChatClient, type ChatOptions, createChat } from "../index.js";
import { loadCore, runAnywhere } from "../init.js";
import type { TokenReason } from "../types.js";
import { outsideAct } from "./act.js";
import { serveOrigin, type TestRequest } from "./intercept.js";
import { Link } from "./link.js";
import { type ReceivedMessage, type Row, receivedOf } from "./messages.js";
import { onlyKnown } from "./names.js";
import { Namespace } from "./namespace.js";
import { settle } from "./settle.js";
import { TeamError } from "./team/errors.js";
import { Faults } from "./team/faults.js";
import { Hub } from "./team/hub.js";
import { answerRest, teamRoutes } from "./team/rest.js";
import { roomOf, serveSockets } from "./team/sockets.js";
import { TeamState } from "./team/state.js";
import { TestUser } from "./user.js";
import { wasmInNode } from "./wasm.js";

/** What {@link createTestBackend} takes. */
export type TestBackendOptions = {
  /** Where clients reach it; by default an address of its own. Nothing else of that origin is reached while it runs. */
  url?: string;
  /** Milliseconds between two signs of life of the server (25,000), and how long one may be late (20,000). */
  pingInterval?: number;
  pingTimeout?: number;
  /** The longest frame and body in bytes (100,000). */
  maxPayload?: number;
  /** Without keys, sequence numbers and `after`: what the client can promise to a server that has none of them. */
  plain?: boolean;
};

/** The codes by which the backend refuses. */
export type RefusalCode =
  | "ValidationError"
  | "AuthError"
  | "ForbiddenError"
  | "NotFoundError"
  | "ConflictError"
  | "TooLarge"
  | "RateLimited"
  | "ServerError";

/** How {@link TestBackend.refuse} refuses. */
export type Refusal = {
  code: RefusalCode;
  message?: string;
  /** When it may be tried again. */
  retryAfterMs?: number;
  /** How often (1). */
  times?: number;
};

let made = 0;

/** A backend in memory, with its users, conversations and link. `close()` it when the test is over. */
export async function createTestBackend(options: TestBackendOptions = {}): Promise<TestBackend> {
  onlyKnown("options", "createTestBackend()", options);
  runAnywhere();
  await loadCore("socket.io", await wasmInNode());
  made += 1;
  return new TestBackend({ url: `https://chatwire-${made}.test`, ...options });
}

/** What {@link createTestBackend} gives. */
export class TestBackend {
  /** The backend's address, for `createChat({ url })`. */
  readonly url: string;
  /** What is between it and its clients. */
  readonly link = new Link();
  /** Each time that a client has asked for a token, and why. */
  readonly tokenRequests: { userId: string; reason: TokenReason }[] = [];
  readonly #clients = new Set<ChatClient>();
  readonly #tokens = new Set<string>();
  readonly #state: TeamState;
  readonly #faults = new Faults((userId: string) => this.link.cut({ userId }));
  readonly #hub: Hub;
  readonly #namespace: Namespace;
  readonly #stop: () => void;
  readonly #refusals: { route: string; error: TeamError; left: number }[] = [];
  #ids = 0;

  /** @internal */
  constructor(options: TestBackendOptions & { url: string }) {
    const { url, pingInterval = 25_000, pingTimeout = 20_000, maxPayload = 100_000, plain = false } = options;
    const { origin, pathname } = new URL(url.replace(/^ws/, "http"));
    const prefix = pathname.replace(/\/$/, "");
    this.url = url;
    this.#state = new TeamState({ plain, newId: (kind: string) => `${kind}-${++this.#ids}` });
    this.#namespace = new Namespace(this.link, { pingInterval, pingTimeout, maxPayload });
    this.#hub = new Hub(this.#state, this.#faults, (userId: string, event: string, payload: unknown) =>
      this.#namespace.to(roomOf(userId)).emit(event, payload),
    );
    const cut = (connection: { cut(): void }) => connection.cut();
    serveSockets(this.#namespace, this.#hub, { plain, maxPayload, cut });
    const routes = teamRoutes(this.#hub);
    this.#stop = serveOrigin(origin, {
      open: (socket) => void this.#namespace.accept(socket),
      fetch: (request) => this.#answer(request, routes, prefix),
    });
  }

  // ── clients ───────────────────────────────────────────────────────────────

  /** What an application gives `createChat` to be this user here. What it has options of its own for goes behind them. */
  optionsFor(userId: string): ChatOptions {
    return {
      url: this.url,
      profile: "team",
      userId,
      getToken: ({ reason }) => {
        this.tokenRequests.push({ userId, reason });
        return this.tokenFor(userId);
      },
      storage: typeof indexedDB === "undefined" ? "memory" : "indexeddb",
      reconnect: { baseDelayMs: 10, maxDelayMs: 100 },
    };
  }

  /** A token that is good until {@link expireTokens}. */
  tokenFor(userId: string): string {
    const last = [...this.#tokens].findLast((token) => token.startsWith(`user:${userId}#`));
    if (last !== undefined && !this.#faults.isRevoked(last)) return last;
    const token = `user:${userId}#${this.#tokens.size + 1}`;
    this.#tokens.add(token);
    return token;
  }

  /** A client of this user, not connected yet; it is closed with the backend. */
  async client(userId: string, options: Partial<ChatOptions> = {}): Promise<ChatClient> {
    const chat = await createChat({ ...this.optionsFor(userId), ...options });
    this.#clients.add(chat);
    return chat;
  }

  /** A client of this user that is online and has caught up. */
  connect(userId: string, options: Partial<ChatOptions> = {}): Promise<ChatClient> {
    return outsideAct(async () => {
      const chat = await this.client(userId, options);
      await chat.connect();
      await this.#settle(4_000);
      return chat;
    });
  }

  // ── who and what there is ─────────────────────────────────────────────────

  /** Somebody whom the test plays. */
  user(userId: string): TestUser {
    return new TestUser(this.#hub, userId);
  }

  /** The direct conversation of two: its id. */
  direct(userId: string, otherId: string): string {
    const mine = this.#state.conversationsOf(userId);
    const there = mine.find((one) => one.type === "direct" && this.#state.isIn(one, otherId));
    return there?.id ?? this.#told(this.#state.createDirect(userId, otherId));
  }

  /** A group; the first is its admin. Its id. */
  group(title: string, userIds: readonly [string, string, ...string[]]): string {
    const [admin, ...others] = userIds;
    return this.#told(this.#state.createGroup(admin, title, others));
  }

  /** What the backend has stored, of one conversation or of all, in its order. */
  messages(conversationId?: string): ReceivedMessage[] {
    const ids = conversationId === undefined ? this.#state.conversationIds : [conversationId];
    return ids.flatMap((id) => this.#state.log(id)).map((row) => receivedOf(row as Row));
  }

  // ── what goes wrong ───────────────────────────────────────────────────────

  /**
   * The next ones are refused: `send` a message, `connect` the connection by Socket.IO, or a request by method and path,
   * `"GET /api/conversations"`.
   */
  refuse(what: "send" | "connect" | `${string} /${string}`, refusal: Refusal): void {
    if (what !== "send" && what !== "connect" && !/^[A-Z]+ \//.test(what))
      throw new TypeError(
        `refuse(): \`${what}\` is none of \`send\`, \`connect\` and a method with its path`,
      );
    const given = onlyKnown("refusal", "refuse()", refusal);
    const { code, message = "refused by a test", retryAfterMs, times = 1 } = given;
    const details = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
    if (what === "send") this.#faults.refuseNext(times, code, message, details);
    else if (what === "connect") this.#faults.refuseConnect(times, code, message);
    else this.#refusals.push({ route: what, error: new TeamError(code, message, details), left: times });
  }

  /** Tokens that were given so far are refused from now on, and connections made with them end. */
  expireTokens(): void {
    for (const token of this.#tokens) this.#faults.revoke(token);
    for (const { handshake } of this.#namespace.connections) this.#faults.revoke(handshake.auth?.token);
    this.link.cut();
  }

  // ── the end ───────────────────────────────────────────────────────────────

  /**
   * Resolves when nothing moves any more: no frame and no request is on its way, and what clients of `connect` and `client`
   * have queued is acknowledged, failed, or stuck for a known reason: they are offline, or an answer was lost. Rejects
   * with what still moves after `timeoutMs` (4,000).
   */
  settled({ timeoutMs = 4_000 } = {}): Promise<void> {
    return outsideAct(() => this.#settle(timeoutMs));
  }

  /** Closes the clients and gives back `WebSocket` and `fetch`. */
  close(): Promise<void> {
    return outsideAct(async () => {
      await Promise.all([...this.#clients].map((chat) => chat.close()));
      this.link.heal();
      this.link.cut();
      this.#stop();
    });
  }

  #settle(timeoutMs: number): Promise<void> {
    return settle({ link: this.link, namespace: this.#namespace, clients: this.#clients }, timeoutMs);
  }

  #told(conversation: { id: string }): string {
    this.#hub.conversationUpdated(conversation);
    return conversation.id;
  }

  async #answer(request: TestRequest, routes: unknown[], prefix: string): Promise<Response> {
    const { method, url, token, body } = request;
    await this.#pass(request.signal);
    const [status, answer] = await new Promise<[number, unknown]>((resolve, reject) => {
      const refusal = this.#takeRefusal(`${method} ${url.pathname.slice(prefix.length)}`);
      if (refusal) return resolve([refusal.status, { error: refusal }]);
      const give = (status: number, answer: unknown) => resolve([status, answer]);
      const cut = () => reject(new TypeError("Failed to fetch"));
      const readBody = async () => (body ? JSON.parse(body) : {});
      const asked = { method, url: url.pathname + url.search, token, readBody, cut };
      void answerRest(routes, { hub: this.#hub, prefix }, asked, give);
    });
    await this.#pass(request.signal);
    const headers = { "content-type": "application/json" };
    return new Response(answer === undefined ? null : JSON.stringify(answer), { status, headers });
  }

  /** One way over the link. */
  async #pass(signal: AbortSignal | null): Promise<void> {
    await this.link.pass();
    if (signal?.aborted) throw new DOMException("aborted", "AbortError");
    if (this.link.isOffline) throw new TypeError("Failed to fetch");
  }

  #takeRefusal(route: string): TeamError | undefined {
    const refusal = this.#refusals.find((one) => one.left > 0 && one.route === route);
    if (refusal) refusal.left -= 1;
    return refusal?.error;
  }
}
