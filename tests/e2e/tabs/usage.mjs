// What the processes of a browser take, as Linux counts it in /proc.
import { readdir, readFile } from "node:fs/promises";

// What /proc counts in, on every machine that Linux runs on today.
const msPerTick = 10;

/**
 * Of the process `root`, its group and all descendants. `cpuMs` holds the time of those that have ended, too, so that the
 * difference of two samples is the time between them.
 * @returns `{cpuMs, pssBytes, rssBytes, processes, renderers: {pssBytes, rssBytes, pids}}`; PSS shares out what several map.
 */
export async function usageOf(root) {
  const tree = descendants(root, await allProcesses());
  const whole = { cpuMs: 0, pssBytes: 0, rssBytes: 0, processes: 0 };
  const renderers = { pssBytes: 0, rssBytes: 0, pids: [] };
  for (const { pid, ticks } of tree) {
    const [memory, isRenderer] = await Promise.all([memoryOf(pid), isRendererAt(pid)]);
    whole.cpuMs += ticks * msPerTick;
    whole.processes += 1;
    add(whole, memory);
    if (!isRenderer) continue;
    add(renderers, memory);
    renderers.pids.push(pid);
  }
  return { ...whole, renderers };
}

/** The processes of a group that still run: none after a clean end. */
export async function groupOf(group) {
  return (await allProcesses()).filter((process) => process.group === group && process.state !== "Z");
}

function add(sum, { pssBytes, rssBytes }) {
  sum.pssBytes += pssBytes;
  sum.rssBytes += rssBytes;
}

async function allProcesses() {
  const names = await readdir("/proc").catch(() => {
    throw new Error("memory and CPU of a browser are read from /proc, which this system does not have");
  });
  const all = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(processAt));
  return all.filter((process) => process !== undefined);
}

async function processAt(pid) {
  const text = await readOrGone(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name stands in brackets and may hold anything; fields are counted behind it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group] = fields;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(pid), state, parent: Number(parent), group: Number(group), ticks };
}

function descendants(root, all) {
  const found = new Set([root]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent, group } of all) {
      if (found.has(parent) || group === root) found.add(pid);
    }
  }
  return all.filter(({ pid }) => found.has(pid));
}

async function memoryOf(pid) {
  const text = (await readOrGone(`/proc/${pid}/smaps_rollup`)) ?? "";
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  return { pssBytes: bytes("Pss"), rssBytes: bytes("Rss") };
}

async function isRendererAt(pid) {
  return ((await readOrGone(`/proc/${pid}/cmdline`)) ?? "").includes("--type=renderer");
}

async function readOrGone(path) {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "ENOTDIR"].includes(error.code)) return undefined;
    throw error;
  }
}
