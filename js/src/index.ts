import { ChatClient } from "./client.js";
import { loadCore } from "./init.js";
import { readOptions, toRefusal } from "./options.js";
import type { ChatOptions } from "./types.js";
import { wakeStore } from "./wake.js";

export type { ChatClient } from "./client.js";
export type { Listener } from "./emitter.js";
export { ChatError } from "./errors.js";
export { completeOAuth, handleOAuthRequest, type OAuthCallbackOptions, type OAuthOptions } from "./oauth.js";
export {
  type CommandSpec,
  defineProfile,
  type EventSpec,
  type MessageSpec,
  type PayloadTemplate,
  type Profile,
  type ProfileSpec,
  type Received,
  type Sent,
} from "./profile.js";
export type { Timeline } from "./timeline.js";
export type * from "./types.js";
export type { Wire, WireContext, WireSendOptions, WireValue } from "./wire.js";

/**
 * A client for one user at one backend, with what its store holds. It is not connected yet: `connect()` does that.
 * Rejects with `config`, naming option, value and what is allowed, and where the wasm cannot be loaded.
 */
export async function createChat(options: ChatOptions): Promise<ChatClient> {
  const read = readOptions(options);
  if (read.plain.storage !== "memory") void wakeStore();
  const CoreClass = await loadCore(read.framing, read.wasm);
  try {
    return await new ChatClient(CoreClass, read).restored();
  } catch (error) {
    throw toRefusal(error);
  }
}
