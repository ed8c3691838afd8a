// Brings the built core (../pkg, made by `npm run build:wasm`) into this package, where both `src` and `dist` find it
// under the same relative path: `../pkg/chatwire.js`. Beside each wasm goes the same as a module, `inline.js`: for where a
// bundler cannot give the file an address.
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

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

for (const folder of ["", ...folders]) {
  const packed = gzipSync(await readFile(join(to, folder, "chatwire_bg.wasm")), { level: 9 });
  await writeFile(join(to, folder, "inline.js"), `export default "${packed.toString("base64")}";\n`);
  await writeFile(join(to, folder, "inline.d.ts"), "declare const base64: string;\nexport default base64;\n");
}
