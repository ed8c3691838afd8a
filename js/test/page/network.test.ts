// A14 in a page.
import { expect, test, vi } from "vitest";
import { NetworkManager, OAuthHandler } from "../../src/compat/index.js";

test("NetworkManager: online, offline, connectionChange and `connected` (A14)", () => {
  const onLine = vi.spyOn(navigator, "onLine", "get").mockReturnValue(true);
  const network = new NetworkManager();
  const told: unknown[] = [];
  network.on("online", () => told.push("online"));
  network.on("offline", () => told.push("offline"));
  network.on("connectionChange", (connected) => told.push([connected, network.connected]));
  for (const state of [false, true]) {
    onLine.mockReturnValue(state);
    window.dispatchEvent(new Event(state ? "online" : "offline"));
  }
  expect(told).toEqual(["offline", [false, false], "online", [true, true]]);
  network.destroy();
  window.dispatchEvent(new Event("offline"));
  expect(told).toHaveLength(4);
  onLine.mockRestore();
});

test("OAuthHandler: true or false, and why not (A11)", async () => {
  const told: unknown[] = [];
  const handler = new OAuthHandler({ timeoutMs: 60_000 });
  handler.on("success", () => told.push("success"));
  handler.on("denied", () => told.push("denied"));
  handler.on("error", (failure, { name }) => told.push([failure, name]));
  const open = vi.spyOn(window, "open").mockReturnValue(null);
  expect(await handler.handleOAuthRequest("https://provider.example/")).toBe(false);
  expect(await handler.handleOAuthRequest("javascript:alert(1)")).toBe(false);
  expect(open).toHaveBeenCalledTimes(1);

  for (const granted of [true, false]) {
    const popup = document.body.appendChild(document.createElement("iframe")).contentWindow as Window;
    popup.close = () => {};
    open.mockReturnValue(popup);
    const result = handler.handleOAuthRequest("https://provider.example/?state=s1");
    const data = { type: "chatwire:oauth", state: "s1", granted };
    window.dispatchEvent(new MessageEvent("message", { data, origin: location.origin, source: popup }));
    expect(await result).toBe(granted);
  }
  vi.useFakeTimers();
  const slow = handler.handleOAuthRequest("https://provider.example/");
  vi.advanceTimersByTime(60_000);
  expect(await slow).toBe(false);
  const closed = { closed: false, close: () => {} };
  open.mockReturnValue(closed as Window);
  const shut = handler.handleOAuthRequest("https://provider.example/");
  closed.closed = true;
  vi.advanceTimersByTime(500);
  expect(await shut).toBe(false);
  vi.useRealTimers();
  const errors = ["blocked", "invalid", "timeout", "closed"].map((failure) => [failure, "ChatError"]);
  expect(told).toEqual([...errors.slice(0, 2), "success", "denied", ...errors.slice(2)]);
  vi.restoreAllMocks();
});
