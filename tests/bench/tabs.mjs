// W8: tabs of one user in one browser, one of them in front; what their processes take while messages come, as Linux counts it.
import { setTimeout } from "node:timers/promises";
import { usageOf } from "../e2e/tabs/usage.mjs";

const idleMs = 5_000;

/** @returns `{ms, idleMs, memoryMb, sockets}`: processor time while the messages come, and in so long a time of nothing. */
export async function besideEachOther({ pid, pages, backend, tabs, userId, conversations, each, overMs }) {
  const user = userId;
  // Before the first tab asks for it: the browser has just been started.
  await Promise.all([pages.several(tabs), backend.control("world", { user, conversations })]);
  const atRest = await usageOf(pid);
  await setTimeout(idleMs);
  const before = await usageOf(pid);
  const sockets = await backend.control("sockets", { user });
  await Promise.all([pages.several(tabs), backend.control("burst", { user, each, overMs })]);
  const after = await usageOf(pid);
  return {
    ms: after.cpuMs - before.cpuMs,
    idleMs: before.cpuMs - atRest.cpuMs,
    memoryMb: after.pssBytes / 2 ** 20,
    sockets,
  };
}
