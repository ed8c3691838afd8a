import type { ReactNode } from "react";
import type { Json } from "../types.js";

/** What somebody typed: text, and web addresses as links. Nothing else becomes a link, nothing becomes HTML. */
export function LinkedText({ text }: { text: string }): ReactNode {
  return partsOf(text).map(({ text, href }, index) =>
    href === undefined ? (
      text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text keep their places.
      <a key={index} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
    ),
  );
}

/** An address that may be opened, of http or https. */
export function webAddress(value: Json | undefined): string | null {
  if (typeof value !== "string" || !URL.canParse(value)) return null;
  const { protocol, href } = new URL(value);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

function partsOf(text: string): { text: string; href?: string }[] {
  const parts: { text: string; href?: string }[] = [];
  let end = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"']+/gi)) {
    // What ends a sentence does not belong to the address. A pattern for it would look at a long run of brackets again and
    // again.
    let length = match[0].length;
    while (".,;:!?)]}".includes(match[0].charAt(length - 1))) length--;
    const address = match[0].slice(0, length);
    const href = webAddress(address);
    if (href === null) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}
