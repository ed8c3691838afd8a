// From what an application gives `createChat` to what the core reads: JSON, and apart from it what JSON cannot hold.
//
// JSON turns NaN, Infinity, functions and symbols silently into null, which is the default. They cross as an array
// instead, which no option allows, so that the core refuses them and says what is allowed there.
import type { Framing } from "./address.js";
import type { Hooks } from "./core.js";
import { guarded } from "./emitter.js";
import { ChatError, check, describe, toChatError } from "./errors.js";
import type { ProfileSpec } from "./profile.js";
import type { ChatOptions, Json, WasmSource } from "./types.js";

export type ReadOptions = {
  plain: {
    userId?: unknown;
    profile?: unknown;
    limits?: unknown;
    storage?: unknown;
    timezone?: unknown;
    logLevel?: ChatOptions["logLevel"];
  };
  getToken: ChatOptions["getToken"];
  wasm: WasmSource | undefined;
  framing: Framing;
  /** The profile's own functions, where it has them. */
  receive: ProfileSpec["receive"];
  /** What the core asks the application. */
  asked: Pick<Hooks, "isAuthError" | "send">;
};

/** A copy, read once. Throws `config`, also where the application's own getters throw. */
export function readOptions(options: unknown): ReadOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ChatError("config", `createChat() takes an object of options, not ${describe(options)}`);
  }
  try {
    return read(options);
  } catch (cause) {
    if (cause instanceof ChatError) throw cause;
    throw new ChatError("config", "the options cannot be read: see the cause", { cause });
  }
}

function read(options: object): ReadOptions {
  const { getToken, isAuthError, wasm, ...rest } = { ...(options as ChatOptions) };
  let receive: ProfileSpec["receive"];
  let send: ProfileSpec["send"];
  if (typeof rest.profile === "object" && rest.profile !== null) {
    // The core knows no functions.
    const { receive: receives, send: sends, ...declared } = rest.profile as ProfileSpec;
    receive = functionOf("profile.receive", receives);
    send = functionOf("profile.send", sends);
    rest.profile = declared as ChatOptions["profile"];
  }
  functionOf("getToken", getToken, "a function that resolves to a token");
  functionOf("isAuthError", isAuthError);
  // Ours, for the core.
  if ("hasGetToken" in rest)
    throw new ChatError("config", "hasGetToken: unknown option: give getToken itself");
  const plain = crossing(rest) as ReadOptions["plain"];
  checkTimezone(plain.timezone);
  // The backend is told where the user is (A3): where the browser says it, unless the application does.
  plain.timezone ??= Intl.DateTimeFormat().resolvedOptions().timeZone;
  const framing = framingOf(rest);
  const known = { ...plain, ...(getToken && { hasGetToken: true }) };
  const hooks = { isAuthError: isAuthError && judging(isAuthError), send: send && sending(send) };
  return { plain: known, getToken, wasm, framing, receive, asked: hooks };
}

/** What the core knows nothing of, refused in its words. */
function functionOf<F>(name: string, value: F, allowed = "a function"): F {
  if (value === undefined || typeof value === "function") return value;
  throw new ChatError("config", `${name}: got ${describe(value)}, allowed: ${allowed}`);
}

/** As the core asks it. Where it throws, or gives no boolean, the core judges. */
function judging(isAuthError: NonNullable<ChatOptions["isAuthError"]>): Hooks["isAuthError"] {
  return (code, message) => {
    let said: unknown;
    guarded(() => {
      said = isAuthError({ code: code ?? null, message });
    });
    return typeof said === "boolean" ? said : undefined;
  };
}

/** As the core asks it. What it throws is the application's to see, and keeps back what was to be sent. */
function sending(send: NonNullable<ProfileSpec["send"]>): Hooks["send"] {
  return (event, values) => {
    let said: string | undefined;
    guarded(() => {
      const instead = send(event, ...(JSON.parse(values) as Json[]));
      said = instead
        ? JSON.stringify([check.id("send", instead.event), check.json("send", instead.payload)])
        : "";
    });
    return said;
  };
}

/** Which wasm has it. */
function framingOf({ profile, framing }: Omit<ChatOptions, "getToken" | "wasm">): Framing {
  const declared =
    typeof profile === "object" ? (profile as Partial<ProfileSpec> | null)?.framing : undefined;
  const isOver = profile === "phoenix" && framing === "socket.io";
  if (isOver || declared === "phoenix" || declared === "json") return "several";
  return framings.get(profile) ?? "socket.io";
}

const framings = new Map<unknown, Framing>([
  ["phoenix", "phoenix"],
  ["assistant", "json"],
]);

function crossing(value: unknown): unknown {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : [String(value)];
    case "function":
    case "symbol":
    case "bigint":
      return [`a ${typeof value}`];
    case "object":
      return value === null ? null : crossingObject(value);
    default:
      return value;
  }
}

function crossingObject(value: object): unknown {
  // A URL, for one.
  if ("toJSON" in value && typeof value.toJSON === "function") return crossing(value.toJSON());
  if (Array.isArray(value)) return value.map(crossing);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (inner === undefined ? [] : [[name, crossing(inner)]])),
  );
}

/** The core knows no time zones. What is no text is refused there. */
function checkTimezone(timezone: unknown): void {
  if (typeof timezone !== "string") return;
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
  } catch (cause) {
    const got = JSON.stringify(timezone.slice(0, 60));
    const allowed = 'the name of a time zone, such as "Europe/Paris"';
    throw new ChatError("config", `timezone: got ${got}, allowed: ${allowed}`, { cause });
  }
}

/** The core's refusal, with what was given in place of what stood for it. */
export function toRefusal(error: unknown): ChatError {
  const refusal = toChatError(error, "config");
  const message = refusal.message.replace(
    /got \["(NaN|-?Infinity|a (?:function|symbol|bigint))"\]/,
    "got $1",
  );
  return new ChatError(refusal.code, message, refusal);
}

/** The name of the profile that was asked for, or of the one that the application has declared. */
export function profileName(options: object): string {
  const profile: unknown = "profile" in options ? options.profile : undefined;
  const isObject = typeof profile === "object" && profile !== null;
  return String((isObject && "name" in profile ? profile.name : profile) ?? "");
}

/** Characters of a message, as the core has it (`max_text_length` in `config/parse.rs`). */
export function maxTextLength(options: { limits?: unknown; profile?: unknown }): number {
  const { maxTextLength } = (options.limits ?? {}) as { maxTextLength?: number };
  return maxTextLength ?? (options.profile === "assistant" ? 500 : 10_000);
}
