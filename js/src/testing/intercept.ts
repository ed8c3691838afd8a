// Takes the WebSockets and requests of test backends out of those of the page: whatever goes elsewhere goes there.
import { TestSocket } from "./socket.js";

/** What is asked for at an origin. */
export type Origin = {
  open(socket: TestSocket): void;
  fetch(request: TestRequest): Promise<Response>;
};

export type TestRequest = {
  method: string;
  url: URL;
  token: string | undefined;
  body: string | undefined;
  signal: AbortSignal | null;
};

const origins = new Map<string, Origin>();
let restore: (() => void) | undefined;

/** Until the function returned is called, what goes to this origin goes to the backend in memory. */
export function serveOrigin(origin: string, served: Origin): () => void {
  restore ??= install();
  origins.set(origin, served);
  return () => {
    origins.delete(origin);
    if (origins.size > 0) return;
    restore?.();
    restore = undefined;
  };
}

/** Replaces both, and gives what puts them back, unless somebody else has replaced them since. */
function install(): () => void {
  const undo = [replace("WebSocket", webSocket), replace("fetch", fetching)];
  return () => {
    for (const put of undo) put();
  };
}

function replace(name: "WebSocket" | "fetch", made: (before: unknown) => unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  const value = made(globalThis[name]);
  Object.defineProperty(globalThis, name, { configurable: true, writable: true, enumerable: true, value });
  return () => {
    if (globalThis[name] !== value) return;
    if (before) Object.defineProperty(globalThis, name, before);
    else Reflect.deleteProperty(globalThis, name);
  };
}

function webSocket(before: unknown): unknown {
  const original = (before ?? NoWebSocket) as new (...args: unknown[]) => object;
  return new Proxy(original, {
    construct(target, args: unknown[], made) {
      const url = urlOf(args[0]);
      const served = url && origins.get(url.origin);
      if (!url || !served) return Reflect.construct(target, args, made);
      const socket = new TestSocket(String(args[0]));
      served.open(socket);
      return socket;
    },
  });
}

function fetching(before: unknown): typeof fetch {
  const original = before as typeof fetch | undefined;
  return async (input, init) => {
    const url = urlOf(input instanceof Object && "url" in input ? input.url : input);
    const served = url && origins.get(url.origin);
    if (url && served) return served.fetch(await requestOf(url, input, init));
    if (!original) throw new TypeError(`no fetch here for ${url?.origin ?? "this address"}`);
    return original.call(globalThis, input, init);
  };
}

async function requestOf(url: URL, input: RequestInfo | URL, init: RequestInit = {}): Promise<TestRequest> {
  const request = typeof input === "object" && "method" in input ? input : undefined;
  const headers = new Headers(init.headers ?? request?.headers);
  const token = /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
  const body = typeof init.body === "string" ? init.body : await request?.text();
  const method = (init.method ?? request?.method ?? "GET").toUpperCase();
  return { method, url, token, body, signal: init.signal ?? request?.signal ?? null };
}

/** With the origin that the backend is known by: a WebSocket's is that of its page's scheme. */
function urlOf(given: unknown): URL | undefined {
  try {
    return new URL(String(given).replace(/^ws/, "http"));
  } catch {
    return undefined;
  }
}

class NoWebSocket {
  constructor() {
    throw new TypeError("there is no WebSocket here, and this address is not the test backend's");
  }
}
