// Loads the wasm, once a page and framing: the module is shared by all clients.
import initialise, { ChatCore } from "../pkg/chatwire.js";
import { addressOf, type Framing } from "./address.js";
import type { CoreConstructor } from "./core.js";
import { ChatError, describe } from "./errors.js";
import type { WasmSource } from "./types.js";

const loading = new Map<Framing, Promise<CoreConstructor>>();
let isAnywhere = false;

/** From now on what is no browser is none of the reasons to refuse: a test brings along what is missing. */
export function runAnywhere(): void {
  isAnywhere = true;
}

/** The core's class, usable. A failure is not remembered: the next call tries again. */
export async function loadCore(framing: Framing, source?: WasmSource): Promise<CoreConstructor> {
  // Also where the page has one already: what is wrong with this call is wrong on the day when it comes first.
  const place = placeOf(source);
  let started = loading.get(framing);
  if (started === undefined) {
    started = load(framing, place).catch((error: unknown) => {
      loading.delete(framing);
      throw error;
    });
    loading.set(framing, started);
  }
  return started;
}

async function load(framing: Framing, place: Place | undefined): Promise<CoreConstructor> {
  const opened = await (place === undefined ? shipped(framing) : open(framing, place));
  // The glue keeps whatever it has once instantiated, also what it cannot use: only ours comes so far.
  const module_or_path = await compile(opened);
  if (!isOurs(module_or_path)) throw foreign(framing, "it is another wasm");
  const glue = await glueOf(framing);
  try {
    await glue.default({ module_or_path });
  } catch (cause) {
    // Another version of ours asks the glue for what it does not have.
    if (cause instanceof WebAssembly.LinkError || cause instanceof TypeError) {
      throw foreign(framing, "it is of another version than the package, or for another profile", cause);
    }
    throw new ChatError("config", `the wasm does not run here: ${messageOf(cause)}`, { cause });
  }
  return glue.ChatCore;
}

async function glueOf(framing: Framing) {
  switch (framing) {
    case "phoenix":
      return import("../pkg/phoenix/chatwire.js");
    case "json":
      return import("../pkg/json/chatwire.js");
    case "several":
      return import("../pkg/several/chatwire.js");
    default:
      return { default: initialise, ChatCore };
  }
}

/** The wasm that comes with the package: from its address, else from the chunk that holds its bytes. */
async function shipped(framing: Framing): Promise<Opened> {
  const address = addressOf(framing);
  if (address === undefined) return inlined(framing);
  try {
    return await download(framing, address);
  } catch (missing) {
    // Not every bundler takes the file along, and not every server gives it. If the chunk is not to be had either, the
    // page has no network: what is told is the address.
    return inlined(framing).catch(() => {
      throw missing;
    });
  }
}

/** A chunk of its own: few pages load it. */
async function inlined(framing: Framing): Promise<ArrayBuffer> {
  try {
    return await (await import("./inline.js")).wasmOf(framing);
  } catch (cause) {
    const why = `the chunk with the wasm does not load: ${messageOf(cause)}`;
    throw new ChatError("config", why, { retryable: true, cause });
  }
}

/** Where the package has it. */
function fileOf(framing: Framing): string {
  return `node_modules/chatwire/pkg/${framing === "socket.io" ? "" : `${framing}/`}chatwire_bg.wasm`;
}

type Opened = Response | BufferSource | WebAssembly.Module;

async function open(framing: Framing, place: Place): Promise<Opened> {
  return place instanceof URL ? download(framing, place) : place;
}

async function compile(opened: Opened): Promise<WebAssembly.Module> {
  if (opened instanceof WebAssembly.Module) return opened;
  try {
    return await (opened instanceof Response
      ? WebAssembly.compileStreaming(opened)
      : WebAssembly.compile(opened));
  } catch (cause) {
    throw new ChatError("config", `the wasm cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** One of our exports says so by its name; the build's own name in the imports refuses other versions. */
function isOurs(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.exports(module).some(({ name }) => name.startsWith("chat"));
}

function foreign(framing: Framing, why: string, cause?: unknown): ChatError {
  const todo = `Copy ${fileOf(framing)} anew to where \`wasm\` points`;
  return new ChatError("config", `this wasm is not the one of this package: ${why}. ${todo}`, { cause });
}

const places = "an address, the bytes of the wasm file or a WebAssembly.Module";

type Place = URL | BufferSource | WebAssembly.Module;

function placeOf(source: WasmSource | undefined): Place | undefined {
  if (source === undefined) {
    if (!isAnywhere && !isBrowser()) throw noBrowser();
    return undefined;
  }
  if (typeof source === "string" || source instanceof URL) return absolute(source);
  if (source instanceof WebAssembly.Module || ArrayBuffer.isView(source) || source instanceof ArrayBuffer)
    return source;
  throw new ChatError("config", `wasm: got ${describe(source)}, allowed: ${places}`);
}

/** A page or a worker. React Native on a device is neither: it has no WebAssembly. */
function isBrowser(): boolean {
  return (
    typeof WebAssembly === "object" && (typeof document !== "undefined" || "WorkerGlobalScope" in globalThis)
  );
}

function absolute(source: string | URL): URL {
  const base = typeof document === "undefined" ? globalThis.location?.href : document.baseURI;
  try {
    return new URL(source, base);
  } catch (cause) {
    throw new ChatError("config", `wasm: got ${JSON.stringify(source)}, allowed: ${places}`, { cause });
  }
}

/** A response to stream from, or bytes where the server gives the file a type that browsers do not stream. */
async function download(framing: Framing, url: URL): Promise<Response | ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw notFound(framing, url, messageOf(cause), cause);
  }
  if (!response.ok) throw notFound(framing, url, `the server answered ${response.status}`);
  const type = response.headers.get("content-type") ?? "no content type";
  // Exactly this: with a parameter behind it, browsers do not stream it.
  if (type.toLowerCase() === "application/wasm") return response;

  // A development server may answer a missing file with its index page and status 200.
  const bytes = await response.arrayBuffer();
  if (!isWasm(bytes)) throw notFound(framing, url, `the server answered with something else (${type})`);
  return bytes;
}

function isWasm(bytes: ArrayBuffer): boolean {
  const [a, b, c, d] = new Uint8Array(bytes, 0, Math.min(4, bytes.byteLength));
  return a === 0 && b === 0x61 && c === 0x73 && d === 0x6d;
}

function notFound(framing: Framing, url: URL, why: string, cause?: unknown): ChatError {
  return new ChatError(
    "config",
    `no wasm at ${url.origin}${url.pathname}: ${why}. Copy ${fileOf(framing)} to where your server ` +
      "serves it, and give its address as createChat({ wasm })",
    { retryable: true, cause },
  );
}

function noBrowser(): ChatError {
  return new ChatError(
    "config",
    "chatwire runs in browsers, and this is a server (Node, or a page that is rendered there) or React Native on a device: " +
      "call createChat() in the browser, in an effect or an event handler",
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
