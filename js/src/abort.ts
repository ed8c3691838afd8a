// Waiting that a signal ends, without ending what is waited for.
import { ChatError } from "./errors.js";

export function cancelledBy(signal: AbortSignal): ChatError {
  return new ChatError("cancelled", "connect() was cancelled by its signal", { cause: signal.reason });
}

export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelledBy(signal));
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
