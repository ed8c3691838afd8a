// Who is signed in. A name is enough for the reference backend; its token is kept for as long as the tab lives.
import type { TokenReason } from "chatwire";
import type { Drafts } from "./drafts.js";

export type User = { id: string; name: string };
type Grant = { token: string; user: User; expiresAt: number };

/** `?as=ana` signs in as ana under a key of its own: frames of one page share their storage. */
export const fixedName = new URLSearchParams(location.search).get("as")?.trim() || null;
const storageKey = fixedName ? `chatwire.session.${fixedName}` : "chatwire.session";
const switchKey = `${storageKey}.offline`;
const graceMs = 10_000;

export class Session {
  readonly drafts: Drafts = new Map();
  #grant: Grant;

  constructor(grant: Grant) {
    this.#grant = grant;
  }

  get user(): User {
    return this.#grant.user;
  }

  /** What `createChat({getToken})` wants: the token there is, or a fresh one where that was refused or is about to end. */
  readonly getToken = async ({ reason }: { reason: TokenReason }): Promise<string> => {
    const isGood = Date.now() < this.#grant.expiresAt - graceMs;
    if (reason !== "connect" || !isGood) this.#grant = keep(await this.#renewed());
    return this.#grant.token;
  };

  /** The users whose name contains `query`, without this one. */
  async findUsers(query: string): Promise<User[]> {
    const token = await this.getToken({ reason: "connect" });
    const path = `/api/users?q=${encodeURIComponent(query)}`;
    const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } });
    const { users } = (await answerOf(response)) as { users: User[] };
    return users.filter((user) => user.id !== this.user.id);
  }

  async #renewed(): Promise<Grant> {
    const headers = { authorization: `Bearer ${this.#grant.token}` };
    const response = await fetch("/auth/refresh", { method: "POST", headers });
    if (response.status === 401) return requestGrant(this.user.name);
    return grantOf(await answerOf(response));
  }
}

/** The session of before a reload. */
export function restoreSession(): Session | null {
  const text = sessionStorage.getItem(storageKey);
  try {
    return text === null ? null : new Session(JSON.parse(text) as Grant);
  } catch {
    return null;
  }
}

export async function signIn(name: string): Promise<Session> {
  return new Session(keep(await requestGrant(name)));
}

export function forgetSession(): void {
  sessionStorage.removeItem(storageKey);
  rememberSwitch(false);
}

/** Whether the switch for offline was on before a reload. */
export function isSwitchedOff(): boolean {
  return sessionStorage.getItem(switchKey) !== null;
}

export function rememberSwitch(isOff: boolean): void {
  if (isOff) sessionStorage.setItem(switchKey, "on");
  else sessionStorage.removeItem(switchKey);
}

async function requestGrant(name: string): Promise<Grant> {
  const headers = { "content-type": "application/json" };
  const response = await fetch("/auth/login", { method: "POST", headers, body: JSON.stringify({ name }) });
  return grantOf(await answerOf(response));
}

function grantOf(answer: unknown): Grant {
  const { token, user, expires_in } = answer as { token: string; user: User; expires_in: number };
  return { token, user, expiresAt: Date.now() + expires_in * 1000 };
}

function keep(grant: Grant): Grant {
  sessionStorage.setItem(storageKey, JSON.stringify(grant));
  return grant;
}

async function answerOf(response: Response): Promise<unknown> {
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  if (response.ok && body) return body;
  throw new Error(body?.error?.message ?? `the server answered ${response.status}`);
}
