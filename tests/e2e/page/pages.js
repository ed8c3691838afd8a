// Watches the real fetch: which pages of history the client asks for, by the cursor after which they begin.
import { tell } from "./tell.js";

const real = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const { pathname, searchParams } = new URL(input, location.href);
  const [, conversationId] = /\/api\/messages\/([^/]+)$/.exec(pathname) ?? [];
  const after = searchParams.get("after");
  if (conversationId && after !== null) tell({ kind: "pageAsked", conversationId, after: Number(after) });
  return real(input, init);
};
