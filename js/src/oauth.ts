// Consent in a popup, where a message of type `oauth_required` asks for it (A11). The popup shows a page of somebody
// else's, so nothing that comes from a window is believed: its origin, its source and its `state` are checked.
import { ChatError, check, describe } from "./errors.js";

/** How consent is asked for. */
export type OAuthOptions = {
  /** Where the page is served that calls `completeOAuth()`; this page's own origin by default. */
  callbackOrigin?: string | undefined;
  /** How long somebody may take, milliseconds; five minutes by default. */
  timeoutMs?: number | undefined;
  /** Gives up, and closes the popup. */
  signal?: AbortSignal | undefined;
};

/** What the callback page says, and nothing else: no code, no token. */
type Answer = { type: typeof answerType; state: string; granted: boolean };

const answerType = "chatwire:oauth";
const lookEveryMs = 250;
const size = "popup,width=520,height=680";

/** An address that may be opened: http or https. */
export function webAddress(text: unknown): URL | undefined {
  try {
    const url = new URL(text as string);
    return url.protocol === "https:" || url.protocol === "http:" ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens `authUrl` in a popup, and resolves when its callback page has called `completeOAuth()`: true where consent was
 * given, false where it was refused. Call it in the task of a click: browsers block other popups.
 *
 * Rejects with `validation` (no http or https address), `forbidden` (the browser has blocked the popup), `cancelled` (it was
 * closed, or the signal says so) or `timeout`.
 */
export async function handleOAuthRequest(
  authUrl: string,
  options: OAuthOptions | null = {},
): Promise<boolean> {
  const names = ["callbackOrigin", "timeoutMs", "signal"] as const;
  const { callbackOrigin, timeoutMs = 300_000, signal } = check.options("options", options ?? {}, [...names]);
  check.count("timeoutMs", timeoutMs, 2 ** 31 - 1);
  const address = webAddress(authUrl);
  if (!address) {
    const got = typeof authUrl === "string" ? "another text" : describe(authUrl);
    throw new ChatError("validation", `authUrl must be a whole http or https address, not ${got}`);
  }
  if (typeof window === "undefined") {
    throw new ChatError("unsupported", "handleOAuthRequest() opens a popup: call it in a page, not here");
  }
  const origin = originOf("callbackOrigin", callbackOrigin);
  const state = stateOf(address);
  if (signal?.aborted) throw new ChatError("cancelled", "the signal says so", { cause: signal.reason });
  const popup = window.open(address.href, "_blank", size);
  if (!popup || popup.closed) {
    const todo =
      "Call handleOAuthRequest() in the task of a click, or ask the user to allow popups for this page";
    throw new ChatError("forbidden", `the browser has blocked the popup. ${todo}`, { retryable: true });
  }
  return answerOf(popup, { origin, state, timeoutMs, signal });
}

type Awaited = { origin: string; state: string; timeoutMs: number; signal: AbortSignal | undefined };

function answerOf(popup: Window, { origin, state, timeoutMs, signal }: Awaited): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let seenClosed = false;
    const end = (settle: () => void) => {
      window.removeEventListener("message", hear);
      signal?.removeEventListener("abort", abort);
      clearInterval(looking);
      clearTimeout(waiting);
      if (!popup.closed) popup.close();
      settle();
    };
    const fail = (error: ChatError) => end(() => reject(error));
    const hear = (event: MessageEvent<unknown>) => {
      if (event.origin !== origin || event.source !== popup || !isAnswer(event.data)) return;
      const { state: told, granted } = event.data;
      // Somebody else's answer. The right one may still come.
      if (told === state) end(() => resolve(granted));
    };
    const abort = () => fail(new ChatError("cancelled", "the signal says so", { cause: signal?.reason }));
    const look = () => {
      // Once more: what a page says before it closes may still be on its way.
      if (popup.closed && seenClosed) fail(new ChatError("cancelled", "the popup was closed", again));
      seenClosed = popup.closed;
    };
    const giveUp = () => {
      fail(new ChatError("timeout", `the popup gave no answer within ${timeoutMs} ms: ${hint}`, again));
    };
    window.addEventListener("message", hear);
    signal?.addEventListener("abort", abort, { once: true });
    const looking = setInterval(look, lookEveryMs);
    const waiting = setTimeout(giveUp, timeoutMs);
  });
}

const again = { retryable: true };
const hint =
  "does its callback page call completeOAuth(), on the origin of `callbackOrigin`, with `state` in its address?";

function isAnswer(data: unknown): data is Answer {
  if (typeof data !== "object" || data === null) return false;
  const { type, state, granted } = data as Partial<Answer>;
  return type === answerType && typeof state === "string" && typeof granted === "boolean";
}

/**
 * What the callback page has to bring back. An address that has a `state` of its backend's keeps it: the backend checks it, too.
 * Else it is given one of 128 random bits.
 */
function stateOf(address: URL): string {
  const own = address.searchParams.get("state");
  if (own) return own;
  const bits = crypto.getRandomValues(new Uint8Array(16));
  const state = Array.from(bits, (byte) => byte.toString(16).padStart(2, "0")).join("");
  address.searchParams.set("state", state);
  return state;
}

function originOf(name: string, given: string | undefined): string {
  if (given === undefined) return window.location.origin;
  const address = webAddress(given);
  if (!address)
    throw new ChatError("validation", `${name} must be an origin, such as https://app.example.com`);
  return address.origin;
}

/** How the callback page answers. */
export type OAuthCallbackOptions = {
  /** The origin of the page that has opened the popup; this page's own origin by default. Nobody else is told. */
  openerOrigin?: string | undefined;
  /** Whether the popup closes itself then (true). */
  close?: boolean | undefined;
};

/**
 * For the page to which the provider redirects (`oauth-callback`): tells the page that has opened this popup how it ended, by
 * `state` and `error` of this page's address, in its query or behind its `#`. `error`, or `success=false`, is a refusal. True if
 * somebody was told.
 */
export function completeOAuth(options: OAuthCallbackOptions | null = {}): boolean {
  const { openerOrigin, close = true } = check.options("options", options ?? {}, ["openerOrigin", "close"]);
  const origin = originOf("openerOrigin", openerOrigin);
  const opener = window.opener as Window | null;
  const found = parametersOf(window.location);
  const state = found("state");
  if (!opener || !state) return false;
  const granted = !found("error") && !/^(?:false|0|no)$/i.test(found("success") ?? "");
  opener.postMessage({ type: answerType, state, granted } satisfies Answer, origin);
  if (close) window.close();
  return true;
}

function parametersOf({ search, hash }: Location): (name: string) => string | null {
  const [query, fragment] = [new URLSearchParams(search), new URLSearchParams(hash.replace(/^#/, ""))];
  return (name) => query.get(name) ?? fragment.get(name);
}
