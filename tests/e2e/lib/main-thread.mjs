// What a page does on its main thread, by the browser's own trace: each task with the processor time that it took, which
// other programs of the machine do not lengthen.

const MARK = "chatwire: this thread";

/**
 * Traces `page` until `end()`, which resolves with its tasks: `{cpuMs, wallMs}`, the longest first. Its thread alone: the
 * browser has pages of its own (of its address bar), whose scripts take long.
 */
export async function traceMainThread(page) {
  const session = await page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const ended = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "blink.user_timing"], excludedCategories: ["*"] },
  });
  await page.evaluate((mark) => void performance.mark(mark), MARK);
  return {
    async end() {
      await session.send("Tracing.end");
      await ended;
      await session.detach();
      return tasksOf(events);
    },
  };
}

function tasksOf(events) {
  const marks = events.filter(({ name }) => name === MARK);
  if (marks.length === 0) throw new Error("the trace does not show the page's thread");
  const [{ pid, tid }] = marks;
  return events
    .filter((event) => event.ph === "X" && event.name.endsWith("RunTask"))
    .filter((event) => event.pid === pid && event.tid === tid)
    .map(({ dur, tdur }) => ({ cpuMs: processorUs(dur, tdur) / 1000, wallMs: dur / 1000 }))
    .toSorted((a, b) => b.cpuMs - a.cpuMs);
}

/** In virtual machines a thread's clock jumps by more than the time that has passed, and short tasks have none. */
function processorUs(dur, tdur = dur) {
  return Math.min(dur, tdur);
}
