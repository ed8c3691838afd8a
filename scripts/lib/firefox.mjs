// The second browser: a smoke run alone needs it, so that a machine may be without.
import { existsSync } from "node:fs";
import { install, mayInstall, onPath } from "./programs.mjs";
import { Told } from "./run.mjs";

const names = ["firefox-esr", "firefox"];
const elsewhere = "/Applications/Firefox.app/Contents/MacOS/firefox";

/** What to do where there is none. */
export const howToGetFirefox =
  "install Firefox (Debian: apt-get install firefox-esr), or set FIREFOX to your own";

/** Its path: FIREFOX, or on the PATH, or installed where that may be done; undefined where there is none. */
export async function firefox() {
  const { FIREFOX } = process.env;
  if (FIREFOX && !existsSync(FIREFOX)) throw new Told(`FIREFOX=${FIREFOX}: there is no such file`);
  const found = FIREFOX || find();
  if (found || !mayInstall()) return found;
  // Ubuntu has no package of this name.
  await install(["firefox-esr"]).catch((error) => console.log(error.message));
  return find();
}

function find() {
  return onPath(names) ?? (existsSync(elsewhere) ? elsewhere : undefined);
}
