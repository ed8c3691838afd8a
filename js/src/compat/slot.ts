// What every facade stands on: one client, the application's own or made at the first call that needs it. A facade
// remembers its listeners and who is logged in, and nothing of the chat.
import type { ChatClient } from "../client.js";
import { ChatError, check } from "../errors.js";
import { createChat } from "../index.js";
import type { ChatOptions } from "../types.js";

/** What facades take: the options of `createChat`, or a client that there is. */
export type FacadeOptions = Partial<Omit<ChatOptions, "userId" | "profile">> & {
  /** Numbers are taken where the backend has numbers. Null: it is not known yet. */
  userId?: string | number | null | undefined;
  /** That of the guide, unless another one is named. */
  profile?: ChatOptions["profile"] | undefined;
  /** A client that the application has made: it is used, and closed by whoever made it. */
  client?: ChatClient | undefined;
};

/** Puts listeners on a new client; what it gives takes them off. */
type Watch = (client: ChatClient) => readonly (() => void)[];

export class Slot {
  #options: FacadeOptions;
  /** Those for the next client. */
  #later: FacadeOptions = {};
  #making: Promise<ChatClient> | undefined;
  #closing: Promise<void> = Promise.resolve();
  #client: ChatClient | null = null;
  /** How often it was closed: what was begun before is of no use any more. */
  #generation = 0;
  /** `disconnect()` takes the wish back, also where there is no client yet (C1). */
  #isWished = false;
  #stops: readonly (() => void)[] = [];

  constructor(
    /** The facade's name, for what it says. */
    private readonly facade: string,
    private readonly profile: Extract<ChatOptions["profile"], string>,
    options: FacadeOptions,
    private readonly watch: Watch = () => [],
    /** Nothing changes the token of these options: a refused one is `authError` at once (D6). */
    private readonly isTokenFixed = false,
  ) {
    this.#options = check.read(facade, () => ({ ...options }));
    if (this.#options.client) this.#use(this.#options.client);
  }

  /** The client as soon as there is one. It is made at the first call. */
  ready = async (): Promise<ChatClient> => {
    // One that was given, and let go by `close()`.
    if (!this.#client && this.#options.client) this.#use(this.#options.client);
    if (this.#client) return this.#client;
    this.#making ??= this.#make(this.#closing);
    return this.#making;
  };

  /** The client that there is now. */
  now = (): ChatClient | null => this.#client;

  get isOnline(): boolean {
    return this.#client?.connection.state === "online";
  }

  /**
   * Options that come later: they hold for the client that is made next, a token at once. Refused where there is a client already, and one of
   * them says that it is another one: it would be as if nobody had said it.
   */
  configure(options: FacadeOptions): void {
    if (this.#client !== null || this.#making !== undefined) {
      const { client, userId, url } = this.#options;
      const used = { url, userId: client?.userId ?? userId };
      for (const name of ["url", "userId"] as const) {
        if ((options[name] ?? undefined) !== undefined && String(options[name]) !== String(used[name])) {
          throw new ChatError("config", `${this.facade} is connected to another ${name}: close() it before`);
        }
      }
      if (options.client && options.client !== client) {
        throw new ChatError("config", `${this.facade} has another client: close() it before`);
      }
      const { client: _, userId: _user, token, ...later } = options;
      this.#later = { ...this.#later, ...later };
      if (token !== undefined) this.#options = { ...this.#options, token };
      return;
    }
    this.#options = { ...this.#options, ...options };
    if (options.client) this.#use(options.client);
  }

  /** Another login, another client: the one there is ends first. The same one stays. */
  async login(userId?: string | number | null, token?: string | null): Promise<void> {
    this.#isWished = true;
    const known = this.#options.client?.userId ?? this.#options.userId ?? userId;
    const isAnother = (userId ?? undefined) !== undefined && String(userId) !== String(known);
    if (isAnother && this.#options.client) {
      const text = `${this.facade} was given a client of user ${this.#options.client.userId}: it cannot be another's`;
      throw new ChatError("config", text);
    }
    if ((userId ?? undefined) !== undefined) this.#options = { ...this.#options, userId };
    // The last user's token is nobody else's.
    if (typeof token === "string" || isAnother)
      this.#options = { ...this.#options, token: token ?? undefined };
    if (isAnother) await this.close();
  }

  /** After `login`: resolves when connected. */
  async connect(): Promise<void> {
    const client = await this.ready();
    if (!this.#isWished) {
      throw new ChatError("closed", `${this.facade}: disconnect() came before there was a connection`);
    }
    await client.connect();
  }

  /** And stays so until the next login. */
  disconnect(): void {
    this.#isWished = false;
    this.#client?.disconnect();
  }

  /** Ends the client, if it was made here; the next call makes another. A client that was given is let go until then. */
  close(): Promise<void> {
    const making = this.#making ?? Promise.resolve(this.#client);
    this.#making = undefined;
    this.#generation += 1;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#options = { ...this.#options, ...this.#later };
    this.#later = {};
    this.#client = null;
    if (this.#options.client) return Promise.resolve();
    // The next client waits for it: there is one for each user and backend.
    const closed = making.then(
      (client) => client?.close(),
      () => {},
    );
    this.#closing = Promise.all([closed, this.#closing.catch(() => {})]).then(() => {});
    return this.#closing;
  }

  async #make(closing: Promise<void>): Promise<ChatClient> {
    const generation = this.#generation;
    await closing.catch(() => {});
    try {
      const client = await createChat(this.#read());
      // Closed meanwhile: whoever closed it ends it.
      if (this.#generation === generation) this.#use(client);
      return client;
    } catch (error) {
      if (this.#generation === generation) this.#making = undefined;
      throw error;
    }
  }

  #read(): ChatOptions {
    const { client: _, userId, url, profile, token, getToken, ...rest } = this.#options;
    if (url === undefined || userId === undefined || userId === null) {
      const missing = url === undefined ? "url" : "userId";
      throw new ChatError("config", `${this.facade} was given no ${missing}, and needs one to connect`);
    }
    return {
      ...rest,
      url,
      userId: String(userId),
      profile: profile ?? this.profile,
      ...this.#tokenOf(getToken, token),
    };
  }

  #tokenOf(
    getToken: ChatOptions["getToken"],
    token: string | undefined,
  ): Pick<ChatOptions, "getToken" | "token"> {
    if (getToken) return { getToken };
    if (token === undefined) return {};
    // The one of the latest login, not of the first.
    return this.isTokenFixed ? { token } : { getToken: () => this.#options.token ?? "" };
  }

  #use(client: ChatClient): void {
    this.#client = client;
    this.#stops = this.watch(client);
  }
}
