// What a backend's own message says beside its text. It comes from outside: what is not as it should be is left out.
import type { Json, Message } from "chatwire";

export type Details = {
  confidence: number | null;
  sources: { title: string; href: string | null }[];
  actions: string[];
  /** The page that asks for consent. */
  authUrl: string | null;
};

/** Null where there is nothing to show: what people send is text here. */
export function detailsOf({ sender, type, metadata }: Message): Details | null {
  if (sender !== "ai" && sender !== "system") return null;
  const { confidence, sources, actions, authUrl } = fieldsOf(metadata);
  const details = {
    confidence: typeof confidence === "number" && confidence >= 0 && confidence <= 1 ? confidence : null,
    sources: listOf(sources).flatMap(({ title, url }) => {
      const href = webAddress(url);
      const name = typeof title === "string" && title !== "" ? title : href;
      return name === null ? [] : [{ title: name, href }];
    }),
    actions: listOf(actions).flatMap(({ label }) => (typeof label === "string" ? [label] : [])),
    authUrl: type === "oauth_required" ? webAddress(authUrl) : null,
  };
  const isEmpty = details.sources.length + details.actions.length === 0;
  return isEmpty && details.confidence === null && details.authUrl === null ? null : details;
}

/** An address that may be opened, of http or https. */
function webAddress(value: Json | undefined): string | null {
  if (typeof value !== "string" || !URL.canParse(value)) return null;
  const { protocol, href } = new URL(value);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

function listOf(value: Json | undefined): { [name: string]: Json | undefined }[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function fieldsOf(value: Json): { [name: string]: Json | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
