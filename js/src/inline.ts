// The wasm where it has no address that works: its bytes stand in a module.
import type { Framing } from "./address.js";

/** The bytes of the wasm, from a chunk that holds them as text. */
export async function wasmOf(framing: Framing): Promise<ArrayBuffer> {
  const { default: text } = await chunkOf(framing);
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Response(new Response(packed).body?.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** base64 of the gzipped wasm, each in a chunk of its own that only this loads. */
function chunkOf(framing: Framing) {
  switch (framing) {
    case "phoenix":
      return import("../pkg/phoenix/inline.js");
    case "json":
      return import("../pkg/json/inline.js");
    case "several":
      return import("../pkg/several/inline.js");
    default:
      return import("../pkg/inline.js");
  }
}
