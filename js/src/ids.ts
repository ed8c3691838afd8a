// Ids as applications write them: texts, or numbers where their backend has numbers.
import { check } from "./errors.js";

export type Id = string | number;

/** As our calls take it. */
export function textId(name: string, id: Id): string {
  return check.id(name, typeof id === "number" ? String(id) : id);
}

/** As a wire takes it whose ids are numbers (C6). */
export function wireId(id: Id): Id {
  return typeof id === "string" && /^(?:0|[1-9]\d{0,14})$/.test(id) ? Number(id) : id;
}

/** The row of a message of others by its id at the server. */
export function rowKeyOf(conversationId: string, messageId: Id): string {
  return `${conversationId}:${textId("messageId", messageId)}`;
}

/** The newest of these ids: by number where all are numbers, else the last. */
export function newestOf(ids: readonly Id[]): Id | undefined {
  const numbers = ids.map(wireId);
  if (!numbers.every((id) => typeof id === "number")) return ids.at(-1);
  return ids[numbers.indexOf(Math.max(...(numbers as number[])))];
}
