// An application's tests with `chatwire/testing` as docs/guides/testing.md says it: an empty folder, the packed package, Vitest
// and Jest, each in Node and in jsdom.
import assert from "node:assert/strict";
import { cp, writeFile } from "node:fs/promises";
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
];

test("Vitest and Jest run an application's test in Node and in jsdom, and know the matchers' types", async (t) => {
  const project = await Project.create(t, "");
  await cp(inRoot("tests/e2e/testing"), project.folder, { recursive: true });
  await writeFile(join(project.folder, "package.json"), '{ "type": "module" }');
  await project.run(`npm install --no-audit --no-fund ${packages.join(" ")} ${project.tarball}`);

  const vitest = JSON.parse(await project.run("npx vitest run --reporter=json"));
  assert.deepEqual([vitest.numPassedTests, vitest.numTotalTests], [4, 4]);

  const report = join(project.folder, "jest.json");
  await project.run(`npx jest --json --outputFile=${report}`);
  const { default: jest } = await import(report, { with: { type: "json" } });
  assert.deepEqual([jest.numPassedTests, jest.numTotalTests], [4, 4]);

  const options = "--noEmit --strict --skipLibCheck --target es2022 --module nodenext";
  for (const runner of ["vitest", "jest"]) {
    const types = runner === "jest" ? "--types jest" : "--types node";
    const tsc = `${process.execPath} ${inRoot("node_modules/typescript/bin/tsc")}`;
    await project.run(`${tsc} --ignoreConfig ${options} ${types} ${runner}.check.ts`);
  }
});
