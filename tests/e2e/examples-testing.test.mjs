// An application's tests with `chatwire/testing`: an empty folder, the packed package, the files of docs/guides/testing.md, Vitest
// and Jest, each in Node and in jsdom.
import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inRoot } from "../../scripts/lib/run.mjs";
import { Project } from "./lib/example.mjs";

const packages = [
  "vitest@4.1.12",
  "jsdom@29.1.1",
  "jest@30.5.2",
  "jest-environment-jsdom@30.5.2",
  "jest-fixed-jsdom@0.0.11",
  "@types/jest@30.0.0",
  "@babel/preset-env@7",
  "@testing-library/dom@10.4.2",
  "@testing-library/react@16.3.3",
  "react@19",
  "react-dom@19",
];

test("Vitest and Jest run an application's tests in Node and in jsdom, and know the matchers' types", async (t) => {
  const project = await Project.create(t, "");
  await cp(inRoot("tests/e2e/testing"), project.folder, { recursive: true });
  await writeFile(join(project.folder, "package.json"), '{ "type": "module" }');
  const names = await writeGuide(project.folder);
  assert.deepEqual(names, [
    "Conversation.test.jsx",
    "link.test.ts",
    "ChatInterface.test.jsx",
    "vitest.config.mjs",
    "jest.config.js",
    "babel.config.cjs",
  ]);
  await project.run(`npm install --no-audit --no-fund ${packages.join(" ")} ${project.tarball}`);

  const report = join(project.folder, "report.json");
  const vitest = `npx vitest run --reporter=json --outputFile=${report}`;
  await runs(project, vitest, report, 3 + 1 + 1 + 2 + 1);
  await runs(project, `${vitest} --environment=node link once timers`, report, 1 + 2 + 1);
  const jest = `npx jest --json --outputFile=${report}`;
  for (const environment of ["", " --env=node"])
    await runs(project, `${jest}${environment} once timers`, report, 2 + 1);

  const tsc = `${process.execPath} ${inRoot("node_modules/typescript/bin/tsc")}`;
  const options = "--ignoreConfig --noEmit --strict --skipLibCheck --target es2022 --module nodenext";
  await project.run(`${tsc} ${options} --types node vitest.check.ts`);
  await project.run(`${tsc} ${options} --types jest jest.check.ts`);
});

/** All of them pass, and they are as many as they should be. */
async function runs(project, command, report, count) {
  await project.run(command);
  const { numPassedTests, numTotalTests } = JSON.parse(await readFile(report, "utf8"));
  assert.deepEqual([numPassedTests, numTotalTests], [count, count], command);
}

/** Writes the guide's code that begins with the name of its file; gives these names. */
async function writeGuide(folder) {
  const guide = await readFile(inRoot("docs/guides/testing.md"), "utf8");
  const names = [];
  for (const [, text] of guide.matchAll(/^```(?:js|jsx|ts)\n(.*?)^```$/gms)) {
    const name = /^\/\/ ([\w.]+\.\w+)/.exec(text)?.[1];
    if (!name) continue;
    names.push(name);
    await writeFile(join(folder, name), text);
  }
  return names;
}
