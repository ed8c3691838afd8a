import { ChatClient } from "./client.js";
import { ChatError, toChatError } from "./errors.js";
import { loadCore } from "./init.js";
import type { ChatOptions } from "./types.js";

export type { ChatClient } from "./client.js";
export type { Listener } from "./emitter.js";
export { ChatError } from "./errors.js";
export type { Timeline } from "./timeline.js";
export type * from "./types.js";
export type { Wire, WireSendOptions } from "./wire.js";

/**
 * A client for one user at one backend, with what its store holds. It is not connected yet: `connect()` does that.
 * Rejects with `config`, naming option, value and what is allowed, and where the wasm cannot be loaded.
 */
export async function createChat(options: ChatOptions): Promise<ChatClient> {
  if (typeof options !== "object" || options === null) {
    throw new ChatError("config", "createChat() takes an object of options");
  }
  if (options.getToken !== undefined && typeof options.getToken !== "function") {
    throw new ChatError("config", "getToken must be a function that resolves to a token");
  }
  const CoreClass = await loadCore(options.wasm);
  try {
    return await new ChatClient(CoreClass, options).restored();
  } catch (error) {
    throw toChatError(error, "config");
  }
}
