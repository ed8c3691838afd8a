// How long this page's main thread was ever held up: by what the browser calls a long task (50 ms and more), and by a beat
// of our own, which also sees shorter ones. A beat is late by whatever ran meanwhile, and by what else the machine did.
let longTasks = [];
let latest = 0;
let isWatching = false;

const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(measured)));
const measured = ({ startTime, duration }) => ({ startTime, duration });

/** Begins anew. */
export function watchTasks() {
  observer.observe({ type: "longtask" });
  // What is under way has begun before.
  observer.takeRecords();
  longTasks = [];
  latest = 0;
  if (isWatching) return;
  isWatching = true;
  const channel = new MessageChannel();
  let dueAt;
  const beat = () => {
    // What the browser holds nested timers back for is not held against the page.
    dueAt = performance.now() + 4;
    setTimeout(() => channel.port2.postMessage(null), 0);
  };
  channel.port1.onmessage = () => {
    latest = Math.max(latest, performance.now() - dueAt);
    beat();
  };
  beat();
}

/** Since then: `{longTasks: [{startTime, duration}], latestBeatMs}`. */
export function tasks() {
  longTasks.push(...observer.takeRecords().map(measured));
  return { longTasks, latestBeatMs: latest };
}
