// Before `npm pack`: what is shipped is built, whatever `npm start` has left in pkg/, and the licence texts are at hand.
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPackage } from "../../scripts/build.mjs";
import { buildWasm } from "../../scripts/build-wasm.mjs";
import { requirePackages } from "../../scripts/lib/prerequisites.mjs";
import { inRoot, run, runMain } from "../../scripts/lib/run.mjs";

const js = join(dirname(fileURLToPath(import.meta.url)), "..");

await runMain(async () => {
  await requirePackages();
  await buildWasm();
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) await copyFile(inRoot(name), join(js, name));
  await buildPackage();
  // Whatever else has been copied here since.
  await run(process.execPath, [join(js, "scripts", "copy-pkg.mjs")]);
});
