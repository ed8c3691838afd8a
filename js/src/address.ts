// Where a bundler has put the wasm. Apart, because `import.meta` is not to stand in code that Metro reads: there,
// `address.none.ts` is in its place (js/scripts/inline.mjs).

/**
 * What a profile's frames are made of: each has a wasm of its own, which holds nothing of the others; `phoenix` over Socket.IO
 * and what is declared on another framing than Socket.IO, need several.
 */
export type Framing = "socket.io" | "phoenix" | "json" | "several";

/** Written out for the bundlers: they find the file by these expressions and give it an address of their own. */
export function addressOf(framing: Framing): URL | undefined {
  switch (framing) {
    case "phoenix":
      return new URL("../pkg/phoenix/chatwire_bg.wasm", import.meta.url);
    case "json":
      return new URL("../pkg/json/chatwire_bg.wasm", import.meta.url);
    case "several":
      return new URL("../pkg/several/chatwire_bg.wasm", import.meta.url);
    default:
      return new URL("../pkg/chatwire_bg.wasm", import.meta.url);
  }
}
