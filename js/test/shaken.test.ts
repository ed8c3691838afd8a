// What a bundler may leave out, it can: importing the package does nothing, and what is not used is not shipped.
import { build } from "esbuild";
import { expect, test } from "vitest";

/** The bundle of a page that consists of this, minified, without the chunks that it loads later. */
async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: "esm",
    outdir: "out",
    external: ["react", "react-dom", "zustand", "@reduxjs/toolkit"],
    logLevel: "error",
  });
  return outputFiles.find(({ path }) => path.endsWith("stdin.js"))?.text ?? "";
}

test.each([
  "chatwire",
  "chatwire/react",
  "chatwire/components",
  "chatwire/compat",
  "chatwire/zustand",
  "chatwire/redux",
])("%s has no side effects", async (entry) => {
  expect((await bundled(`import "${entry}"`)).trim()).toBe("");
});

test("who takes one thing gets no client with it", async () => {
  const whole = await bundled('export { createChat } from "chatwire"');
  const part = await bundled('export { ChatError, defineProfile } from "chatwire"');
  // Of what wasm-bindgen writes around the core, and a method of the client.
  for (const word of ["FinalizationRegistry", "exportConversation"]) {
    expect(whole).toContain(word);
    expect(part).not.toContain(word);
  }
  expect(part.length).toBeLessThan(whole.length / 10);
});
