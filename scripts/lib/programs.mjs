// Programs of the system: found, or installed where its package manager may be used.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./run.mjs";

/** The first of these names that is a program on the PATH, as a path. */
export function onPath(names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      if (isProgram(path)) return path;
    }
  }
  return undefined;
}

/** As root on Debian or Ubuntu. */
export function mayInstall() {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && onPath(["apt-get"]) !== undefined;
}

export async function install(packages) {
  const apt = ["-o", "DPkg::Lock::Timeout=300", "-qq"];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  console.log(`apt-get install ${packages.join(" ")}`);
  const quiet = { env, stdio: ["ignore", "pipe", "pipe"] };
  await run("apt-get", [...apt, "update"], quiet);
  await run("apt-get", [...apt, "install", "-y", "--no-install-recommends", ...packages], quiet);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
