// The browser and its driver: found, or installed where the system's package manager may be used.
import { existsSync } from "node:fs";
import { install, mayInstall, onPath } from "./programs.mjs";
import { Told } from "./run.mjs";

const browserNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const packages = ["chromium", "chromium-driver"];

/**
 * `{chrome, chromedriver}`, paths of programs. CHROME and CHROMEDRIVER are taken as they are; else the PATH is searched;
 * else, as root on Debian or Ubuntu, apt-get installs both.
 */
export async function browser() {
  let found = find();
  if (found.chrome && found.chromedriver) return found;
  if (mayInstall()) {
    await install(packages);
    found = find();
    if (found.chrome && found.chromedriver) return found;
  }
  const what = [!found.chrome && "Chromium", !found.chromedriver && "chromedriver"].filter(Boolean);
  throw new Told(
    `${what.join(" and ")} missing: \`sudo apt-get install ${packages.join(" ")}\`, or set CHROME and CHROMEDRIVER to your own`,
  );
}

function find() {
  const { CHROME, CHROMEDRIVER } = process.env;
  for (const [name, path] of Object.entries({ CHROME, CHROMEDRIVER })) {
    if (path && !existsSync(path)) throw new Told(`${name}=${path}: there is no such file`);
  }
  return {
    chrome: CHROME || onPath(browserNames) || elsewhere.find((path) => existsSync(path)),
    chromedriver: CHROMEDRIVER || onPath(["chromedriver"]),
  };
}
