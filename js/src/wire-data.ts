// Values with bytes in them, as they cross to the core: JSON with placeholders, and the bytes as base64.
import { ChatError, check } from "./errors.js";
import type { WireData } from "./generated/core.js";
import type { Json } from "./types.js";
import type { WireValue } from "./wire.js";

/** What the core takes. */
const maxDepth = 100;

type Crossing = { json: Json; attachments: string[] };

/** Throws `validation` where it is nothing that JSON and bytes can say. */
export function packed(name: string, value: WireValue): Crossing {
  const attachments: string[] = [];
  let ownPlaceholder = false;
  const json = check.reading(name, () =>
    replaced(value, (inner) => {
      const bytes = bytesOf(inner);
      if (bytes !== undefined) return { _placeholder: true, num: attachments.push(bytesToBase64(bytes)) - 1 };
      if (isPlaceholder(inner)) ownPlaceholder = true;
      return undefined;
    }),
  );
  if (ownPlaceholder && attachments.length > 0) {
    const text = `${name}: beside bytes no object may have _placeholder: true: servers end the connection over it`;
    throw new ChatError("validation", text);
  }
  return { json: check.json(name, json as Json), attachments };
}

export function unpacked({ json, attachments }: WireData): WireValue {
  if (attachments.length === 0) return json;
  const bytes = attachments.map(base64ToBytes);
  return replaced(json, (inner) =>
    isPlaceholder(inner) ? (Number.isInteger(inner.num) ? (bytes[inner.num] ?? null) : null) : undefined,
  ) as WireValue;
}

/** A copy in which `replace` has put something else, where it knows what. */
function replaced(
  value: unknown,
  replace: (value: unknown) => WireValue | undefined,
  around: readonly object[] = [],
): unknown {
  const other = replace(value);
  if (other !== undefined) return other;
  // What has a word of its own for JSON (dates, URLs) is left to it, and what is endless to the check behind this.
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  if (around.length === maxDepth || around.includes(value)) return value;
  const inner = (item: unknown) => replaced(item, replace, [...around, value]);
  if (Array.isArray(value)) return value.map(inner);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(item)]));
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : undefined;
}

function isPlaceholder(value: unknown): value is { num: number } {
  return (
    typeof value === "object" && value !== null && "_placeholder" in value && value._placeholder === true
  );
}

export function bytesToBase64(bytes: Uint8Array): string {
  let text = "";
  // In parts: one call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export function base64ToBytes(text: string): Uint8Array {
  const decoded = atob(text);
  const bytes = new Uint8Array(decoded.length);
  // A callback for each byte takes twenty times as long.
  for (let at = 0; at < bytes.length; at++) bytes[at] = decoded.charCodeAt(at);
  return bytes;
}
