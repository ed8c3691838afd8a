// Type-checks the code of pages against the built package, with the repository's TypeScript.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exec, inRoot } from "../../scripts/lib/run.mjs";
import { filesOf } from "./blocks.mjs";

const typescript = inRoot("node_modules", "typescript");
/** What pages name and an application has. */
const prelude = inRoot("tests", "docs", "prelude.d.ts");

const compilerOptions = {
  target: "es2022",
  lib: ["es2023", "dom", "dom.iterable"],
  module: "esnext",
  moduleResolution: "bundler",
  jsx: "react-jsx",
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  types: [],
  noEmit: true,
};

// As strict as an application may be. Code without types says nothing of what its parameters and states may hold.
const projects = [
  {
    name: "typescript",
    ending: /\.tsx?$/,
    options: { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  },
  { name: "javascript", ending: /\.jsx?$/, options: { strict: false } },
];

/**
 * @param pages their texts by their names, such as `docs/api.md`
 * @returns what is wrong, each line with the page and its line; nothing where every block compiles
 */
export async function wrongIn(pages) {
  await mkdir(inRoot("target"), { recursive: true });
  // Within the repository, so that packages are found as its own sources find them.
  const folder = await mkdtemp(inRoot("target", "docs-"));
  try {
    const wrong = [];
    const written = [];
    for (const [name, text] of Object.entries(pages)) {
      const read = filesOf(name, text);
      wrong.push(...read.wrong);
      for (const { path, text } of read.files) {
        const file = join(folder, name, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
        written.push(file);
      }
    }
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    for (const project of projects) wrong.push(...(await compile(folder, project, written)));
    return wrong;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compile(folder, { name, ending, options }, written) {
  const files = written.filter((file) => ending.test(file));
  if (files.length === 0) return [];
  const project = join(folder, `${name}.json`);
  const all = { ...compilerOptions, ...options };
  await writeFile(project, JSON.stringify({ compilerOptions: all, files: [prelude, ...files] }));
  const { bin } = JSON.parse(await readFile(join(typescript, "package.json"), "utf8"));
  const args = [join(typescript, bin.tsc), "-p", project, "--pretty", "false"];
  const { code, output } = await exec(process.execPath, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = output.split("\n").filter((line) => line !== "");
  if (code !== 0 && lines.length === 0) throw new Error(`tsc has ended with ${code}`);
  return code === 0 ? [] : lines.map(inPage);
}

/** What the compiler says of a block's file, said of the page; all else as it stands. */
function inPage(line) {
  const [, page, at, what] = /^(.+?\.md)\/[^(]+\((\d+),\d+\): error (.*)$/.exec(line) ?? [];
  return page === undefined ? line : `${page}:${at}: ${what}`;
}
