// The wasm of the package for a test: from the module that holds its bytes, which is found wherever this one is.

type Zlib = { gunzipSync(bytes: Uint8Array): Uint8Array<ArrayBuffer> };
type Process = { getBuiltinModule?(name: "node:zlib"): Zlib };

/** Its bytes by Node's own means: jsdom under Jest has no DecompressionStream. Undefined in a browser, which has what it takes. */
export async function wasmInNode(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { process } = globalThis as { process?: Process };
  // Not imported: a bundler for browsers would look for it.
  const zlib = process?.getBuiltinModule?.("node:zlib");
  if (!zlib) return undefined;
  const { default: text } = await import("../../pkg/inline.js");
  return zlib.gunzipSync(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
}
