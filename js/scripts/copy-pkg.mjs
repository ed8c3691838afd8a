// Brings the built core (../pkg, made by `npm run build:wasm`) into this package, where both `src` and `dist` find it
// under the same relative path: `../pkg/chatwire.js`.
import { cp, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const from = join(here, "..", "..", "pkg");
const to = join(here, "..", "pkg");

/** Builds beside that for Socket.IO. */
const folders = ["phoenix", "json", "several"];

let names;
try {
  names = await readdir(from);
} catch {
  names = [];
}
const wanted = names.filter(
  (name) => /^chatwire(_bg\.wasm)?(\.d\.ts|\.js)?$/.test(name) || ["snippets", ...folders].includes(name),
);
if (!["chatwire.js", "chatwire_bg.wasm", ...folders].every((name) => wanted.includes(name))) {
  console.error("pkg/ is not built: run `npm run build:wasm` in the root of the repository first");
  process.exit(1);
}
await rm(to, { recursive: true, force: true });
for (const name of wanted)
  await cp(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true });
