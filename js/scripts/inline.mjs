// After `tsc`: dist-inline, the same code without `import.meta`, which loads the wasm from its chunk alone. It is for whatever does
// not say that it is a bundler for ES modules (the condition `module` in package.json): Metro, Jest, older tools. Beside
// dist, so that `../pkg` is the same place; its types are dist's.
import { cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const js = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(js, "dist");
const inline = join(js, "dist-inline");

await rm(inline, { recursive: true, force: true });
await cp(dist, inline, { recursive: true, filter: (path) => !path.endsWith(".d.ts") });
const [from, to] = ["address.none.js", "address.js"];
await rename(join(inline, `${from}.map`), join(inline, `${to}.map`));
await writeFile(
  join(inline, to),
  (await readFile(join(inline, from), "utf8")).replace(`${from}.map`, `${to}.map`),
);
await rm(join(inline, from));
for (const end of ["js", "js.map", "d.ts"]) await rm(join(dist, `address.none.${end}`));
