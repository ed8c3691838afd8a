// `npm test` counts right: what it prints at the end rests on this.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromCargo, fromEither, fromNode, fromOwn, fromVitest } from "../../scripts/test/counts.mjs";

test("cargo: all binaries together, ignored ones are skipped", () => {
  const output = [
    "running 2 tests",
    "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    "test result: FAILED. 3 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.00s",
  ].join("\n");
  assert.deepEqual(fromCargo(output), { passed: 5, failed: 1, skipped: 4 });
});

test("cargo: nothing ran", () => {
  assert.deepEqual(fromCargo("error: could not compile"), { passed: 0, failed: 0, skipped: 0 });
});

for (const mark of ["#", "ℹ"]) {
  test(`node:test with ${mark}: cancelled is failed, todo is skipped`, () => {
    const numbers = { tests: 10, suites: 1, pass: 4, fail: 1, cancelled: 2, skipped: 2, ["to" + "do"]: 1 };
    const output = Object.entries(numbers).map(([name, count]) => `${mark} ${name} ${count}`);
    assert.deepEqual(fromNode(output.join("\n")), { passed: 4, failed: 3, skipped: 3 });
  });
}

test("vitest: a file that does not load is a failure", () => {
  const report = { numPassedTests: 2, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1 };
  const broken = { ...report, success: false, numFailedTestSuites: 1 };
  assert.deepEqual(fromVitest(JSON.stringify({ ...report, success: true })), {
    passed: 2,
    failed: 0,
    skipped: 2,
  });
  assert.deepEqual(fromVitest(JSON.stringify(broken)), { passed: 2, failed: 1, skipped: 2 });
});

test("our own line: the last one counts, and it is preferred to others", () => {
  assert.deepEqual(fromOwn("1 passed, 0 failed\nx\n3 passed, 1 failed, 2 skipped\n"), {
    passed: 3,
    failed: 1,
    skipped: 2,
  });
  assert.deepEqual(fromEither("2 passed, 0 failed\n"), { passed: 2, failed: 0, skipped: 0 });
  assert.deepEqual(fromEither("# pass 7\n# fail 0\n"), { passed: 7, failed: 0, skipped: 0 });
});
