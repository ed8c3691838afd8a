// What `send` and `setDraft` take, checked, as the core reads it.
import { check } from "./errors.js";
import type { Draft, SendOptions } from "./types.js";
import { optional } from "./waiting.js";

export function readSend(conversationId: string, content: string | Draft, options: SendOptions | null) {
  const fields = ["text", "type", "metadata", "replyTo"] as const;
  const draft: Draft =
    typeof content === "string"
      ? { text: content }
      : check.options("content", content, fields, "a text or an object with text");
  const { ttlMs, key } = check.options("options", options ?? {}, ["ttlMs", "key"]);
  return {
    conversationId: check.id("conversationId", conversationId),
    text: check.string("text", draft.text),
    type: optional(draft.type, (type) => check.id("type", type)),
    metadata: optional(draft.metadata, (metadata) => check.json("metadata", metadata)),
    replyTo: optional(draft.replyTo, (rowKey) => check.id("replyTo", rowKey)),
    ttlMs: optional(ttlMs, (ms) => check.count("ttlMs", ms, Number.MAX_SAFE_INTEGER)),
    key: optional(key, (key) => check.id("key", key)),
  };
}

export function readDraft(conversationId: string, text: string) {
  return {
    conversationId: check.id("conversationId", conversationId),
    text: check.string("text", text),
  };
}
