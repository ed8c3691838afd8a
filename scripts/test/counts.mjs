// How many tests ran, from what each kind of test program writes.

/** Nothing counted yet. */
export function none() {
  return { passed: 0, failed: 0, skipped: 0 };
}

export function add(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** libtest and wasm-bindgen's runner: one `test result:` line for each test binary. */
export function fromCargo(output) {
  const lines = output.matchAll(/^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/gm);
  let all = none();
  for (const [, passed, failed, skipped] of lines) {
    all = add(all, { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) });
  }
  return all;
}

/** node:test, as TAP (`# pass 3`) or for people (`ℹ pass 3`). */
export function fromNode(output) {
  const of = (name) => {
    let sum = 0;
    for (const [, count] of output.matchAll(new RegExp(`^(?:#|ℹ) ${name} (\\d+)$`, "gm")))
      sum += Number(count);
    return sum;
  };
  return {
    passed: of("pass"),
    failed: of("fail") + of("cancelled"),
    skipped: of("skipped") + of("todo"),
  };
}

/** Vitest's JSON report. */
export function fromVitest(json) {
  const report = JSON.parse(json);
  return {
    passed: report.numPassedTests,
    // A file that does not load counts as a failed suite without any test.
    failed: report.numFailedTests || (report.success ? 0 : report.numFailedTestSuites),
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** A program of ours: a line `3 passed, 0 failed` (with `, 1 skipped` where there are any); the last one counts. */
export function fromOwn(output) {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (!last) return none();
  return { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
}

/** Whichever of the two the program speaks. */
export function fromEither(output) {
  const own = fromOwn(output);
  return own.passed + own.failed > 0 ? own : fromNode(output);
}
