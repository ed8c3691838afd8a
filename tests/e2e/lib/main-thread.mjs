// What a browser's renderers do on their main threads, by its own trace: each task with the processor time that it took,
// which other programs of the machine do not lengthen.

/** Traces until `end()`, which resolves with the tasks: `{cpuMs, wallMs}`, the longest first. */
export async function traceMainThreads(browser) {
  const session = await browser.newBrowserCDPSession();
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const ended = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "__metadata"], excludedCategories: ["*"] },
  });
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
  const thread = ({ pid, tid }) => `${pid}/${tid}`;
  const mains = new Set(
    events
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map((event) => thread(event)),
  );
  return events
    .filter((event) => event.ph === "X" && event.name.endsWith("RunTask") && mains.has(thread(event)))
    .map(({ dur, tdur }) => ({ cpuMs: tdur / 1000, wallMs: dur / 1000 }))
    .toSorted((a, b) => b.cpuMs - a.cpuMs);
}
