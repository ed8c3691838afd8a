// A11: consent in a popup. jsdom opens no windows, so a frame plays the popup: a real Window of its own.
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type ChatError, completeOAuth, handleOAuthRequest } from "../../src/index.js";

const provider = "https://provider.example/authorize?client_id=1";

type Popup = { window: Window; url: URL; features: string };

/** What `window.open` gives, and with what it was called. */
function popups(options: { blocked?: boolean } = {}): { opened: Popup[]; close: (popup: Popup) => void } {
  const opened: Popup[] = [];
  const closed = new Set<Window>();
  vi.spyOn(window, "open").mockImplementation((url, _target, features) => {
    if (options.blocked) return null;
    const frame = document.body.appendChild(document.createElement("iframe"));
    const popup = frame.contentWindow as Window;
    Object.defineProperty(popup, "closed", { get: () => closed.has(popup) });
    popup.close = () => void closed.add(popup);
    opened.push({ window: popup, url: new URL(String(url)), features: features ?? "" });
    return popup;
  });
  return { opened, close: ({ window }) => void closed.add(window) };
}

function say(data: unknown, from: { source: Window | undefined; origin?: string }): void {
  const { source = null, origin = window.location.origin } = from;
  window.dispatchEvent(new MessageEvent("message", { data, origin, source }));
}

function answer(popup: Popup | undefined, granted: boolean): unknown {
  return { type: "chatwire:oauth", state: popup?.url.searchParams.get("state"), granted };
}

/** How a promise stands, without waiting for it. */
async function stands(promise: Promise<unknown>): Promise<unknown> {
  const open = {};
  const first = await Promise.race([promise.catch((error: ChatError) => error.code), open]);
  return first === open ? "open" : first;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

test.each([true, false])("the callback page's word is the result: %s (A11)", async (granted) => {
  const { opened } = popups();
  const result = handleOAuthRequest(provider);
  const [popup] = opened;
  expect(popup?.features).toContain("popup");
  expect(popup?.url.origin + (popup?.url.pathname ?? "")).toBe("https://provider.example/authorize");
  expect(popup?.url.searchParams.get("client_id")).toBe("1");
  expect(popup?.url.searchParams.get("state")).toMatch(/^[0-9a-f]{32}$/);
  say(answer(popup, granted), { source: popup?.window });
  expect(await result).toBe(granted);
  expect(popup?.window.closed).toBe(true);
});

test("each request has a state of its own; one that its backend gave is kept", async () => {
  const { opened } = popups();
  for (const url of [provider, provider, `${provider}&state=of-the-backend`]) {
    handleOAuthRequest(url).catch(() => {});
  }
  const [first, second, third] = opened.map(({ url }) => url.searchParams.get("state"));
  expect(first).not.toBe(second);
  expect(third).toBe("of-the-backend");
  vi.advanceTimersByTime(300_000);
});

test("nobody else is believed: another origin, another window, another state, another word (A11)", async () => {
  const { opened } = popups();
  const result = handleOAuthRequest(provider);
  const [popup] = opened;
  const good = answer(popup, true) as object;
  say(good, { source: popup?.window, origin: "https://evil.example" });
  say(good, { source: window });
  say(good, { source: undefined });
  say({ ...good, state: "guessed" }, { source: popup?.window });
  for (const other of [null, "granted", {}, { ...good, type: "x" }, { ...good, granted: "yes" }]) {
    say(other, { source: popup?.window });
  }
  expect(await stands(result)).toBe("open");
  say(answer(popup, false), { source: popup?.window });
  expect(await result).toBe(false);
});

test("a callback page on another origin is believed where it is named", async () => {
  const { opened } = popups();
  const result = handleOAuthRequest(provider, { callbackOrigin: "https://auth.example.com/ignored" });
  const [popup] = opened;
  say(answer(popup, false), { source: popup?.window });
  say(answer(popup, true), { source: popup?.window, origin: "https://auth.example.com" });
  expect(await result).toBe(true);
});

test("blocked, closed, timed out and given up are told apart (A11)", async () => {
  popups({ blocked: true });
  await expect(handleOAuthRequest(provider)).rejects.toMatchObject({
    name: "ChatError",
    code: "forbidden",
    message: expect.stringContaining("blocked the popup"),
  });

  const { opened, close } = popups();
  const shut = handleOAuthRequest(provider);
  close(opened[0] as Popup);
  vi.advanceTimersByTime(250);
  expect(await stands(shut)).toBe("open");
  vi.advanceTimersByTime(250);
  await expect(shut).rejects.toMatchObject({ code: "cancelled", message: "the popup was closed" });

  const slow = handleOAuthRequest(provider, { timeoutMs: 1_000 });
  vi.advanceTimersByTime(1_000);
  await expect(slow).rejects.toMatchObject({ code: "timeout", retryable: true });
  expect(opened[1]?.window.closed).toBe(true);

  const controller = new AbortController();
  const left = handleOAuthRequest(provider, { signal: controller.signal });
  controller.abort("elsewhere");
  await expect(left).rejects.toMatchObject({ code: "cancelled", cause: "elsewhere" });
  await expect(handleOAuthRequest(provider, { signal: controller.signal })).rejects.toMatchObject({
    code: "cancelled",
  });
  expect(opened).toHaveLength(3);
});

test("what a page says right before it closes counts", async () => {
  const { opened, close } = popups();
  const result = handleOAuthRequest(provider);
  const [popup] = opened;
  close(popup as Popup);
  vi.advanceTimersByTime(250);
  say(answer(popup, true), { source: popup?.window });
  expect(await result).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("only http and https are opened", async () => {
  const { opened } = popups();
  const wrong = [
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "blob:https://provider.example/1",
    "/authorize",
    "",
    null as never,
    { href: provider } as never,
  ];
  for (const url of wrong) {
    await expect(handleOAuthRequest(url)).rejects.toMatchObject({ code: "validation" });
  }
  await expect(handleOAuthRequest(provider, { callbackOrigin: "app" })).rejects.toMatchObject({
    code: "validation",
  });
  expect(opened).toEqual([]);
});

/** This page as the callback page of a popup. */
function calledBack(address: string): { told: unknown[][]; closed: () => boolean } {
  const before = window.location.href;
  window.history.replaceState(null, "", address);
  const told: unknown[][] = [];
  const opener = { postMessage: (...args: unknown[]) => void told.push(args) };
  Object.defineProperty(window, "opener", { value: opener, configurable: true });
  const close = vi.spyOn(window, "close").mockImplementation(() => {});
  onTestFinished(() => {
    Reflect.deleteProperty(window, "opener");
    window.history.replaceState(null, "", before);
  });
  return { told, closed: () => close.mock.calls.length > 0 };
}

test.each([
  ["?state=s1&code=secret", true],
  ["#state=s1&access_token=secret", true],
  ["?state=s1&error=access_denied", false],
  ["?state=s1&success=false", false],
  ["?state=s1&success=true", true],
])("the callback page tells its opener how it ended, and no secret: %s", (search, granted) => {
  const { told, closed } = calledBack(`/oauth-callback${search}`);
  expect(completeOAuth()).toBe(true);
  expect(told).toEqual([[{ type: "chatwire:oauth", state: "s1", granted }, window.location.origin]]);
  expect(JSON.stringify(told)).not.toContain("secret");
  expect(closed()).toBe(true);
});

test("the callback page tells only the origin that it is told to tell, and nobody where it knows no state", () => {
  const { told, closed } = calledBack("/oauth-callback?state=s1");
  expect(completeOAuth({ openerOrigin: "https://app.example.com", close: false })).toBe(true);
  expect(told[0]?.[1]).toBe("https://app.example.com");
  expect(closed()).toBe(false);
  expect(() => completeOAuth({ openerOrigin: "*" })).toThrow("openerOrigin must be an origin");
  window.history.replaceState(null, "", "/oauth-callback?code=1");
  expect(completeOAuth()).toBe(false);
  Object.defineProperty(window, "opener", { value: null, configurable: true });
  window.history.replaceState(null, "", "/oauth-callback?state=s1");
  expect(completeOAuth()).toBe(false);
  expect(told).toHaveLength(1);
});
