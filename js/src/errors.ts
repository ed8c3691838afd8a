import type { ErrorCode } from "./types.js";

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  "validation",
  "forbidden",
  "notFound",
  "conflict",
  "tooLarge",
  "rateLimited",
  "auth",
  "timeout",
  "server",
  "unconfirmed",
  "poison",
  "expired",
  "outboxFull",
  "storage",
  "protocol",
  "config",
  "closed",
  "cancelled",
  "inFlight",
  "unsupported",
]);

/** Every failure that chatwire tells. `message` is for developers; neither a token nor a message's text is in it. */
export class ChatError extends Error {
  /** What `instanceof` says, too, and what remains where an error was copied. */
  override readonly name = "ChatError";
  /** What went wrong; a `switch` over it is exhaustive. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  /** The error that a failure told by the core stands for. */
  static from(failure: { code: ErrorCode; message: string; retryable: boolean }): ChatError {
    return new ChatError(failure.code, failure.message, { retryable: failure.retryable });
  }
}

/** Is this an error of the core with one of our codes (and not, say, a trap of the wasm)? */
export function isCoded(error: unknown): error is Error & { code: ErrorCode; retryable?: boolean } {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.has(error.code);
}

/** Whatever was thrown, as a `ChatError`; what has no code of ours gets `fallback`. */
export function toChatError(error: unknown, fallback: ErrorCode = "protocol"): ChatError {
  if (error instanceof ChatError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!isCoded(error)) return new ChatError(fallback, message, { cause: error });
  return new ChatError(error.code, message, { retryable: error.retryable ?? false, cause: error.cause });
}

export function closed(): ChatError {
  return new ChatError("closed", "this chat client is closed: create another with createChat()");
}

/** For what is said in passing and means nothing to a client that is closed: that it is closed is no error. */
export function unlessClosed(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (toChatError(error).code !== "closed") throw error;
  }
}

/** What a value is, for a message about a wrong argument. Never the value itself: it may be a message's text. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value === "") return "an empty string";
  return Number.isNaN(value) ? "NaN" : typeof value;
}

function wrong(name: string, wanted: string, value: unknown): ChatError {
  return new ChatError("validation", `${name} must be ${wanted}, not ${describe(value)}`);
}

/** Checks of arguments: they throw `validation` with the argument's name, what is allowed and what came. */
export const check = {
  id(name: string, value: unknown): string {
    if (typeof value !== "string" || value === "") throw wrong(name, "a non-empty string", value);
    return value;
  },
  string(name: string, value: unknown): string {
    if (typeof value !== "string") throw wrong(name, "a string", value);
    return value;
  },
  boolean(name: string, value: unknown): boolean {
    if (typeof value !== "boolean") throw wrong(name, "a boolean", value);
    return value;
  },
  /** A whole number from 1 to `max`. */
  count(name: string, value: unknown, max: number): number {
    if (typeof value !== "number") throw wrong(name, `a whole number from 1 to ${max}`, value);
    if (!Number.isInteger(value) || value < 1 || value > max) {
      throw new ChatError("validation", `${name} must be a whole number from 1 to ${max}, not ${value}`);
    }
    return value;
  },
  function<F>(name: string, value: F): F {
    if (typeof value !== "function") throw wrong(name, "a function", value);
    return value;
  },
  /** These fields of an object that an application made: its getters may throw. */
  fields<T, K extends keyof T>(name: string, value: T, keys: readonly K[], wanted = "an object"): Pick<T, K> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(name, wanted, value);
    return check.read(name, () => Object.fromEntries(keys.map((key) => [key, value[key]])) as Pick<T, K>);
  },
  /** The same, where no other fields are known: a misspelt one would be without effect, and nobody would notice. */
  options<T, K extends keyof T & string>(
    name: string,
    value: T,
    keys: readonly K[],
    wanted?: string,
  ): Pick<T, K> {
    const fields = check.fields(name, value, keys, wanted);
    const known = (key: string): boolean => (keys as readonly string[]).includes(key);
    const other = Object.keys(value as object).find((key) => !known(key));
    if (other === undefined) return fields;
    const got = JSON.stringify(other.slice(0, 60));
    throw new ChatError("validation", `${name} has no field ${got}: there are ${keys.join(", ")}`);
  },
  /** What reading this gives; what is thrown by the application's own code is the cause of a `validation`. */
  read<T>(name: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof ChatError) throw cause;
      throw new ChatError("validation", `${name} cannot be read: see the cause`, { cause });
    }
  },
  /** Anything an application made, as long as it can be written as JSON: a copy, so that it is asked once. */
  json<T>(name: string, value: T): T {
    const text = toJson(name, value);
    if (text === undefined) throw wrong(name, "JSON", value);
    return JSON.parse(text) as T;
  },
  /** An exception of the application's own getters is the application's. */
  reading,
};

/** As JSON; an exception of a `toJSON` or a getter is the application's. */
export function toJson(name: string, value: unknown): string | undefined {
  return reading(name, () => wellFormed(JSON.stringify(value)));
}

/** Halves of characters, as a cut emoji leaves them, are written as escapes that other readers refuse: U+FFFD for them. */
function wellFormed(json: string | undefined): string | undefined {
  if (!json?.includes("\\ud")) return json;
  return json.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (found) => (/^\\ud/.test(found) ? "\\ufffd" : found));
}

function reading<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ChatError("validation", `${name} cannot be written as JSON: see the cause`, { cause });
  }
}
