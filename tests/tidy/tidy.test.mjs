// The rules of the house that a machine can hold. Each test lists every place that breaks its rule.
//
// exceptions.json names what may be larger: `path` or `path#function` → its present size. An entry must match exactly, so
// the list follows what shrinks, and it may not get longer than `exceptionsAllowed`, a number that only ever goes down.
import assert from "node:assert/strict";
import { test } from "node:test";
import { allFiles, codeFiles, isTest, productCode, read, rustFunctions, size } from "./sources.mjs";

const maxFileLines = 400;
const maxFunctionLines = 70;
const exceptionsAllowed = 0;
const exceptions = JSON.parse(read("tests/tidy/exceptions.json"));

const proto = () => codeFiles("rs").filter((path) => /^src\/proto(\.rs$|\/)/.test(path));
const machines = [
  "connection",
  "lead",
  "outbox",
  "sync",
  "timeline",
  "rooms",
  "drafts",
  "people",
  "media",
  "calls",
];

test("files have at most 400 lines", () => {
  const sizes = codeFiles("rs", "ts", "tsx", "mjs").map((path) => [path, lineCount(read(path))]);
  holds(sizes, maxFileLines, exceptions.files);
});

test("Rust functions have at most 70 lines", () => {
  const sizes = codeFiles("rs").flatMap((path) =>
    rustFunctions(read(path)).map(({ name, lines }) => [`${path}#${name}`, lines]),
  );
  assert.ok(sizes.length > 0, "no function found: the search is broken");
  holds(sizes, maxFunctionLines, exceptions.functions);
});

test("TypeScript functions have at most 70 lines: Biome holds the same limit", () => {
  const rule = JSON.parse(read("biome.json")).linter.rules.complexity.noExcessiveLinesPerFunction;
  assert.equal(rule.level, "error");
  assert.equal(rule.options.maxLines, maxFunctionLines);
});

test("the list of exceptions only shrinks", () => {
  const names = [...Object.keys(exceptions.files), ...Object.keys(exceptions.functions)];
  assert.equal(names.length, exceptionsAllowed, "lower exceptionsAllowed with the list; never raise it");
});

test("nothing is skipped, and nothing is left for later", () => {
  const later = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
  const skipped =
    /#\[ignore|\b(?:it|test|describe|suite)\.(?:skip|only|todo|skipIf|runIf)\b|\bx(?:it|describe)\(|\b(?:skip|todo): (?:true|")|\b(?:todo|unimplemented)!\(/;
  const files = codeFiles("rs", "ts", "tsx", "mjs", "css", "html", "toml", "yml", "sh");
  none(
    files.filter((path) => path !== "tests/tidy/tidy.test.mjs"),
    (line) => later.test(line) || skipped.test(line),
  );
});

test("proto knows no browser, clock, randomness, thread or hash order", () => {
  const banned =
    /\b(?:web_sys|js_sys|wasm_bindgen\w*|serde_wasm_bindgen|gloo\w*|rexie|idb|getrandom|HashMap|HashSet|Instant|SystemTime|thread_rng|async fn|crate::web)\b|\.await\b|std::(?:time|thread|env|fs|net|process)\b|\bprintln!|\bwindow\(\)/;
  const files = proto();
  assert.ok(files.length > 0);
  const found = files.flatMap((path) => matches(path, productCode(path), banned));
  assert.deepEqual(found, []);
});

test("machines do not import each other, nor the client that routes between them", () => {
  const exported = reexportsOfMachines();
  const found = proto().flatMap((path) => {
    const machine = machines.find(
      (name) => path === `src/proto/${name}.rs` || path.startsWith(`src/proto/${name}/`),
    );
    if (!machine) return [];
    const others = [...machines.filter((name) => name !== machine), "client"];
    return importsOf(path)
      .filter((name) => others.includes(name) || (exported.has(name) && exported.get(name) !== machine))
      .map((name) => `${path}: ${name}`);
  });
  assert.deepEqual(found, []);
});

test("what machines stand on does not import machines", () => {
  const below = /^src\/proto\/(wire|profile|store|timer|ids|error|config|rng|model|wall_time)(\.rs$|\/)/;
  const found = proto()
    .filter((path) => below.test(path))
    .flatMap((path) => {
      const wrong = importsOf(path).filter((name) => [...machines, "client"].includes(name));
      return wrong.map((name) => `${path}: ${name}`);
    });
  assert.deepEqual(found, []);
});

test("every module of src states its law in its head", () => {
  const modules = codeFiles("rs").filter((path) => path.startsWith("src/") && !isTest(path));
  const bare = modules.filter((path) => !read(path).startsWith("//! "));
  assert.deepEqual(bare, []);
});

test("the package's core does not know React", () => {
  const core = codeFiles("ts", "tsx").filter((path) =>
    /^js\/src\/(?!react\/|components\/|zustand\/)/.test(path),
  );
  none(core, (line) => /from "(?:react|react-dom|(?:\.\.?\/)+react(?:\/[^"]*)?)"/.test(line));
});

test("no path of somebody's machine", () => {
  const home = new RegExp(`(?<![\\w.:-])/(?:${["home", "root", "Users", "work", "farm"].join("|")})/\\w`);
  const files = allFiles().filter((path) => !/\.(?:png|ico|wasm|lock)$|package-lock\.json$/.test(path));
  none(files, (line) => home.test(line));
});

test("lock files name no registry host but crates.io", () => {
  none(["package-lock.json"], (line) => /"resolved": "https?:/.test(line));
  const index = 'source = "registry+https://github.com/rust-lang/crates.io-index"';
  none(["Cargo.lock"], (line) => line.startsWith("source = ") && line !== index);
});

test("nothing built and nothing large is tracked", () => {
  const built = /(?:^|\/)(?:node_modules|target|dist|pkg)\/|\.(?:db|db-wal|db-shm|wasm)$/;
  const found = allFiles().filter((path) => built.test(path) || size(path) > 1024 * 1024);
  assert.deepEqual(found, []);
});

// ── helpers ─────────────────────────────────────────────────────────────────

function lineCount(text) {
  return text.replace(/\n$/, "").split("\n").length;
}

/** Sizes are within the limit, or exactly what the list of exceptions says. */
function holds(sizes, limit, allowed) {
  const measured = new Map(sizes);
  const wrong = [];
  for (const [name, lines] of measured) {
    if (lines > limit && allowed[name] === undefined) wrong.push(`${name}: ${lines} lines, ${limit} allowed`);
  }
  for (const [name, lines] of Object.entries(allowed)) {
    const now = measured.get(name);
    if (now === undefined || now <= limit) wrong.push(`${name}: no exception any more, take it off the list`);
    else if (now !== lines) wrong.push(`${name}: ${now} lines, the list says ${lines}`);
  }
  assert.deepEqual(wrong, []);
}

function none(paths, isWrong) {
  const found = [];
  for (const path of paths) {
    read(path)
      .split("\n")
      .forEach((line, index) => {
        if (isWrong(line)) found.push(`${path}:${index + 1}: ${line.trim()}`);
      });
  }
  assert.deepEqual(found, []);
}

function matches(path, text, pattern) {
  return text.split("\n").flatMap((line, index) => {
    const match = pattern.exec(line);
    return match ? [`${path}:${index + 1}: ${match[0]}`] : [];
  });
}

/** The names directly under `proto` that a file uses: `crate::proto::NAME`, and `super::NAME` as deep as it takes. */
function importsOf(path) {
  const depth = path === "src/proto.rs" ? 0 : path.split("/").length - 2;
  const prefix = `(?:crate::proto|(?<!super::)${Array(depth).fill("super").join("::")})`;
  const code = productCode(path);
  const single = [...code.matchAll(new RegExp(`\\b${prefix}::(\\w+)`, "g"))].map((m) => m[1]);
  const groups = [...code.matchAll(new RegExp(`\\b${prefix}::\\{`, "g"))].flatMap((m) => {
    return namesInGroup(code, m.index + m[0].length);
  });
  return [...single.filter((name) => name !== "super"), ...groups];
}

/** The first segment of each path between `{` and its `}`. */
function namesInGroup(code, from) {
  const names = [];
  let depth = 1;
  let at = from;
  let expectsName = true;
  while (depth > 0 && at < code.length) {
    const word = /^\w+/.exec(code.slice(at, at + 80))?.[0];
    if (word) {
      if (depth === 1 && expectsName) names.push(word);
      expectsName = false;
      at += word.length;
      continue;
    }
    if (code[at] === "{") depth++;
    if (code[at] === "}") depth--;
    if (code[at] === "," && depth === 1) expectsName = true;
    at++;
  }
  return names;
}

/** What proto.rs shows of its machines under names of its own: name → machine. */
function reexportsOfMachines() {
  const names = new Map();
  for (const [, machine, rest] of productCode("src/proto.rs").matchAll(
    /pub use (?:self::)?(\w+)::([^;]+);/g,
  )) {
    if (!machines.includes(machine)) continue;
    for (const [name] of rest.matchAll(/\b[A-Z]\w+/g)) names.set(name, machine);
  }
  return names;
}
