const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export function timeOf(iso: string): string {
  return time.format(new Date(iso));
}

export function dayOf(iso: string): string {
  return isToday(iso) ? "Today" : longDay.format(new Date(iso));
}

/** For a list: the time today, the day before. */
export function whenOf(iso: string): string {
  return isToday(iso) ? timeOf(iso) : shortDay.format(new Date(iso));
}

export function sameDay(a: string, b: string): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

function isToday(iso: string): boolean {
  return sameDay(iso, new Date().toISOString());
}

/** What somebody typed, cut into plain text and web addresses. Nothing else becomes a link, nothing becomes HTML. */
export function partsOf(text: string): { text: string; href?: string }[] {
  const parts: { text: string; href?: string }[] = [];
  let end = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"']+/gi)) {
    // What ends a sentence does not belong to the address.
    const address = match[0].replace(/[.,;:!?)\]}]+$/, "");
    if (!URL.canParse(address)) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: address, href: new URL(address).href });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}
