/** Watches for tasks over 50 ms; the function that it gives says what came: the longest, and all that is over 50 ms of each. */
export function watchTasks() {
  const seen = [];
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
  observer.observe({ type: "longtask" });
  return () => {
    const durations = [...seen, ...observer.takeRecords()].map(({ duration }) => duration);
    observer.disconnect();
    return {
      longestMs: Math.max(0, ...durations),
      blockedMs: durations.reduce((sum, duration) => sum + duration - 50, 0),
    };
  };
}
