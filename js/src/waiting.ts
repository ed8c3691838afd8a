import { ChatError, check, describe } from "./errors.js";
import type { ReadOptions } from "./options.js";
import type { TokenReason } from "./types.js";

/** The application's token; what is none is an error of its configuration. */
export async function askToken(getToken: ReadOptions["getToken"], reason: TokenReason): Promise<string> {
  if (!getToken) throw new ChatError("config", "this client has no getToken");
  const token: unknown = await getToken({ reason });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (typeof token !== "string" || token === "" || /[\0-\x1f\x7f]/.test(token)) {
    throw new ChatError(
      "config",
      "getToken() must resolve to a non-empty string without control characters or line breaks",
    );
  }
  return token;
}

export function optional<T, U>(value: T | undefined, read: (value: T) => U): U | undefined {
  return value === undefined ? undefined : read(value);
}

/** The signal among options; one that has been aborted cancels at once. */
export function readSignal(options: { signal?: AbortSignal | undefined } | null): AbortSignal | undefined {
  const { signal } = check.options("options", options ?? {}, ["signal"]);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ChatError("validation", `signal must be an AbortSignal, not ${describe(signal)}`);
  }
  if (signal?.aborted) throw cancelledBy(signal);
  return signal;
}

function cancelledBy(signal: AbortSignal): ChatError {
  return new ChatError("cancelled", "connect() was cancelled by its signal", { cause: signal.reason });
}

export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelledBy(signal));
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
