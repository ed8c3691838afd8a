// Chromium that opens one address and is left alone: the page does its work by itself and posts what it has found.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill, start } from "../../../scripts/lib/run.mjs";
import { executable, flags } from "../lib/browser.mjs";

const more = [
  "--headless",
  "--enable-precise-memory-info",
  // Else memory is told after the next garbage collection, which may be half a minute away.
  "--enable-blink-features=ForceEagerMeasureMemory",
  // A page in front of somebody has its share of a busy machine; headless, it is taken for one that nobody looks at.
  "--disable-renderer-backgrounding",
  // A page opens the tabs beside it.
  "--disable-popup-blocking",
];
const patienceMs = 180_000;

/** A profile: its stores outlive the browsers that use it, one after the other. */
export class Profile {
  static async create() {
    const profile = new Profile();
    profile.folder = await mkdtemp(join(tmpdir(), "chatwire-figures-"));
    return profile;
  }

  /** Opens the address in a browser of its own; resolves with `result`, once that has ended in order. */
  visit(url, result) {
    return this.visitAs(url, () => result);
  }

  /** The same, with what `act` makes of the browser's process id. */
  async visitAs(url, act) {
    const args = [...more, ...flags, `--user-data-dir=${this.folder}`, url];
    const child = start(await executable(), args, { stdio: "ignore" });
    const exited = once(child, "exit");
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${url} has not told anything`)), patienceMs);
    });
    const early = exited.then(() => Promise.reject(new Error(`the browser ended at ${url}`)));
    try {
      return await Promise.race([act(child.pid), late, early]);
    } finally {
      clearTimeout(timer);
      early.catch(() => {});
      // Politely: what it has written is to be on the disk.
      kill(child, "SIGTERM");
      await exited;
    }
  }

  async remove() {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
