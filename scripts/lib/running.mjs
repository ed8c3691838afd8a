// Where the chat of this clone runs, for a second `npm start` beside it: its database takes one backend at a time.
import { readFile, writeFile } from "node:fs/promises";

const patienceMs = 2_000;

/** Writes down where it runs. Nobody has to take it away: what is written is asked before it is believed. */
export function remember(file, url) {
  return writeFile(file, `${url}\n`);
}

/** The address of the backend that runs, or `undefined`: nothing is written down, or nothing of ours answers there. */
export async function running(file) {
  try {
    const url = (await readFile(file, "utf8")).trim();
    const response = await fetch(new URL("/health", url), { signal: AbortSignal.timeout(patienceMs) });
    return (await response.json()).status === "ok" ? url : undefined;
  } catch {
    return undefined;
  }
}
