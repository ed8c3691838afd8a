// What methods take, checked, as the core reads it.
import { ChatError, check, describe } from "./errors.js";
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

/** A message, and the conversation that it stands in or goes to. */
export function readPlace(conversationId: string, rowKey: string) {
  return { conversationId: check.id("conversationId", conversationId), rowKey: check.id("rowKey", rowKey) };
}

export function readReaction(rowKey: string, emoji: string) {
  return { rowKey: check.id("rowKey", rowKey), emoji: check.string("emoji", emoji) };
}

export function readTyping(conversationId: string, typing: boolean) {
  return {
    conversationId: check.id("conversationId", conversationId),
    typing: check.boolean("typing", typing),
  };
}

export function readDraft(conversationId: string, text: string) {
  return {
    conversationId: check.id("conversationId", conversationId),
    text: check.string("text", text),
  };
}

export function readGroup(group: { title: string; members: readonly string[] }) {
  const { title, members } = check.options("group", group, ["title", "members"]);
  if (!Array.isArray(members)) throw new ChatError("validation", "members must be an array of user ids");
  return {
    title: check.id("title", title),
    members: check.read("members", () => members.map((id, index) => check.id(`members[${index}]`, id))),
  };
}

export function readExport(id: string, format: "json" | "text") {
  const conversationId = check.id("id", id);
  if (format !== "json" && format !== "text") {
    throw new ChatError("validation", `format must be "json" or "text", not ${describe(format)}`);
  }
  return { conversationId, json: format === "json" };
}
