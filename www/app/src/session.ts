// Who is signed in. A name is enough for the reference backend; its token is kept for as long as the tab lives.
import type { TokenReason } from "chatwire";

/** `number` is the id where ids are numbers. */
export type User = { id: string; name: string; number: number };
/** Somebody else, as they are found by name. */
export type Found = Pick<User, "id" | "name">;
type Grant = { token: string; user: User; expiresAt: number };

/** `?as=ana` signs in as ana under a key of its own: frames of one page share their storage. */
export const fixedName = asked("as");
/** `?with=ben`: with whom they talk. */
export const fixedPeer = asked("with");
const storageKey = fixedName ? `chatwire.session.${fixedName}` : "chatwire.session";
const switchKey = `${storageKey}.offline`;
const backendKey = `${storageKey}.backend`;
const triedKey = `${storageKey}.tried`;
const graceMs = 10_000;

export class Session {
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
  async findUsers(query: string): Promise<Found[]> {
    const token = await this.getToken({ reason: "connect" });
    const path = `/api/users?q=${encodeURIComponent(query)}`;
    const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } });
    const { users } = (await answerOf(response)) as { users: Found[] };
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
    const grant = text === null ? null : (JSON.parse(text) as Grant);
    // One of before accounts had numbers is of no use.
    return typeof grant?.user.number === "number" ? new Session(grant) : null;
  } catch {
    return null;
  }
}

export async function signIn(name: string): Promise<Session> {
  return new Session(keep(await requestGrant(name)));
}

export function forgetSession(): void {
  sessionStorage.removeItem(storageKey);
  sessionStorage.removeItem(triedKey);
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

/** The backend that was spoken to before a reload. */
export function rememberedBackend(): string | null {
  return sessionStorage.getItem(backendKey);
}

export function rememberBackend(profile: string): void {
  sessionStorage.setItem(backendKey, profile);
}

/** What has been tried in this tab, with what came of it: also what a reload was to show. */
export function rememberedNotes(): Record<string, string> {
  try {
    return JSON.parse(sessionStorage.getItem(triedKey) ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}

export function rememberNotes(notes: Record<string, string>): void {
  sessionStorage.setItem(triedKey, JSON.stringify(notes));
}

/** An account by this name, made where there is none; whoever is signed in here stays. */
export async function userCalled(name: string): Promise<User> {
  return (await requestGrant(name)).user;
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

function asked(name: string): string | null {
  return new URLSearchParams(location.search).get(name)?.trim() || null;
}
