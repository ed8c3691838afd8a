// `npm test`: every suite in turn, then how many tests of each ran. `npm test -- rust js` runs only those named.
// A suite passes if tests ran, none failed and none was skipped. The last line is `N passed, N failed`.
import { readArguments } from "./lib/arguments.mjs";
import { checkPrerequisites, installPackages } from "./lib/prerequisites.mjs";
import { runMain, Told } from "./lib/run.mjs";
import { seconds } from "./lib/steps.mjs";
import { resultsIn, writeConformance } from "./test/conformance.mjs";
import { add, none } from "./test/counts.mjs";
import { Suite } from "./test/suite.mjs";
import { suites } from "./test/suites.mjs";

await runMain(async () => {
  const began = performance.now();
  const chosen = choose(readArguments({}).positionals);
  console.log(await checkPrerequisites());
  console.log(`npm packages: ${(await installPackages()) ?? "installed"}`);

  const done = [];
  for (const { name, run } of chosen) {
    console.log(`\n${name}`);
    const suite = new Suite(name);
    await run(suite);
    suite.tookMs = suite.elapsedMs;
    if (!suite.hasPassed) console.log(`\n${"─".repeat(30)} log of ${name}${suite.log}\n${"─".repeat(30)}`);
    done.push(suite);
  }
  const total = done.reduce((sum, suite) => add(sum, suite.counts), none());
  const wrong = await conformance(done);
  for (const what of wrong) console.log(`conformance: ${what}`);
  // Skipped tests, and a suite in which nothing ran, are failures.
  const failed =
    total.failed + total.skipped + done.filter((suite) => ran(suite.counts) === 0).length + wrong.length;
  printTable(done, total);
  console.log(`\n${seconds(performance.now() - began)} in all`);
  console.log(`${total.passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
});

function choose(names) {
  const known = suites.map((suite) => suite.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Told(`No suite ${unknown.join(", ")}. There are: ${known.join(", ")}`);
  return names.length > 0 ? suites.filter((s) => names.includes(s.name)) : suites.filter((s) => s.isDue());
}

/** The table of facts, where all that names one has run. Gives what is wrong with it. */
async function conformance(done) {
  const needed = ["rust", "js", "servers", "e2e"].map((name) => done.find((suite) => suite.name === name));
  if (needed.includes(undefined)) return [];
  return writeConformance(needed.flatMap((suite) => [...suite.results, ...resultsIn(suite.log)]));
}

function ran(counts) {
  return counts.passed + counts.failed;
}

function printTable(done, total) {
  const line = (name, ...cells) =>
    console.log(name.padEnd(10) + cells.map((c) => String(c).padStart(12)).join(""));
  console.log("");
  line("suite", "ran", "passed", "failed", "skipped", "time");
  for (const { name, counts, tookMs } of done) {
    line(name, ran(counts), counts.passed, counts.failed, counts.skipped, seconds(tookMs));
  }
  line("all", ran(total), total.passed, total.failed, total.skipped, "");
}
