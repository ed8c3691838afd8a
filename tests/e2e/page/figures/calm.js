// Beside a browser that is still starting, and other programs, what is measured is mostly them: so each measurement waits until
// they let this page alone.
const beats = 60;
const beatMs = 5;
const lateMs = 2;
const patienceMs = 15_000;

/** Resolves when so many timers in a row have come in time, or when patience is at its end. */
export async function calm() {
  const end = performance.now() + patienceMs;
  for (let inTime = 0; inTime < beats && performance.now() < end; inTime++) {
    const due = performance.now() + beatMs;
    await new Promise((resolve) => setTimeout(resolve, beatMs));
    if (performance.now() > due + lateMs) inTime = -1;
  }
}
