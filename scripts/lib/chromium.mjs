// The browser and its driver: found, or installed where the system's package manager may be used.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run, Told } from "./run.mjs";

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
    const apt = ["-o", "DPkg::Lock::Timeout=300", "-qq"];
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    console.log(`apt-get install ${packages.join(" ")}`);
    const quiet = { env, stdio: ["ignore", "pipe", "pipe"] };
    await run("apt-get", [...apt, "update"], quiet);
    await run("apt-get", [...apt, "install", "-y", "--no-install-recommends", ...packages], quiet);
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

function mayInstall() {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && onPath(["apt-get"]) !== undefined;
}

function onPath(names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      if (isProgram(path)) return path;
    }
  }
  return undefined;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
