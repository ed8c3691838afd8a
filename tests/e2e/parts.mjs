// What the end-to-end tests run on, built where it is not up to date.
import { buildDemo, buildPackage, buildServer } from "../../scripts/build.mjs";
import { buildWasm } from "../../scripts/build-wasm.mjs";
import { browser } from "../../scripts/lib/chromium.mjs";
import { installPackages } from "../../scripts/lib/prerequisites.mjs";

/** The two programs, as environment variables. `npm test` has built everything already and says so by naming them. */
export async function parts() {
  const { CHATWIRE_SERVER, CHROME } = process.env;
  if (CHATWIRE_SERVER && CHROME) return { CHATWIRE_SERVER, CHROME };
  await installPackages();
  await buildWasm();
  await buildPackage();
  await buildDemo();
  return { CHATWIRE_SERVER: await buildServer({ faults: true }), CHROME: (await browser()).chrome };
}
