// Who is typing, and who is there.
import type { ChatClient } from "../client.js";
import { unlessClosed } from "../errors.js";
import type { Session } from "./session.js";
import { SessionStore } from "./store.js";

/** What `useTyping` gives. */
export type Typing = {
  /** The user ids of others who are typing there now. */
  readonly typingUsers: readonly string[];
  readonly isTyping: boolean;
  /** To be called at every key: it is throttled, and stopped by itself. Nothing happens before the client is there. */
  readonly setTyping: (typing: boolean) => void;
};

const nobody: readonly string[] = Object.freeze([]);

export class TypingStore extends SessionStore<Typing> {
  constructor(
    session: Session,
    /** Empty: of no conversation. */
    private readonly conversationId: string,
  ) {
    super(session);
  }

  readonly #setTyping = (typing: boolean): void => {
    const { client } = this.session.getSnapshot();
    if (this.conversationId) unlessClosed(() => client?.setTyping(this.conversationId, typing));
  };

  protected override read(client: ChatClient | null): Typing {
    const typingUsers = (this.conversationId && client?.typing(this.conversationId)) || nobody;
    return { typingUsers, isTyping: typingUsers.length > 0, setTyping: this.#setTyping };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    return client.on("typing", ({ conversationId }) => conversationId === this.conversationId && changed());
  }
}

/** What `usePresence` gives: nobody is online of whom nothing was told. */
export type UserPresence = {
  readonly isOnline: boolean;
  /** ISO 8601; null while it is not known. */
  readonly lastSeen: string | null;
};

export class PresenceStore extends SessionStore<UserPresence> {
  constructor(
    session: Session,
    /** Empty: of nobody. */
    private readonly userId: string,
  ) {
    super(session);
  }

  protected override read(client: ChatClient | null): UserPresence {
    const presence = this.userId ? client?.presence(this.userId) : null;
    return { isOnline: presence?.online ?? false, lastSeen: presence?.lastSeen ?? null };
  }

  protected override watch(client: ChatClient, changed: () => void): () => void {
    return client.on("presence", ({ userId }) => userId === this.userId && changed());
  }
}
