// What the fuzzers begin with: seeds, and the words of the wires.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "../lib/run.mjs";

/** Files with words of the outside: events, fields, options, commands. */
const WORDY = [
  "src/proto/profile",
  "src/proto/connection",
  "src/proto/wire",
  "src/proto/config",
  "src/web/command.rs",
];

/** Recorded frames above this are left out: most of one is its filling. */
const MAX_SEED_BYTES = 2048;

/** Folders of seeds of a target. */
export function seedsOf(name, scratch) {
  if (name === "records") return [inRoot("tests", "fixtures", "records")];
  const own = inRoot("tests", "fuzz", "seeds", name);
  const folders = existsSync(own) ? [own] : [];
  if (name === "phoenix") folders.push(recorded(join(scratch, "seeds", name)));
  return folders;
}

/** Each frame that real servers and clients of Phoenix have sent, as a file. */
function recorded(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const line of readFileSync(inRoot("tests", "fixtures", "phoenix", "v2.jsonl"), "utf8").split("\n")) {
    if (line === "") continue;
    const { kind, data, encoding, truncated } = JSON.parse(line);
    if (!["text", "binary"].includes(kind) || truncated) continue;
    const bytes = Buffer.from(data, kind === "binary" || encoding ? "base64" : "utf8");
    if (bytes.length > MAX_SEED_BYTES) continue;
    writeFileSync(join(folder, createHash("sha256").update(bytes).digest("hex").slice(0, 16)), bytes);
  }
  return folder;
}

/** The words of our own sources as a dictionary of libFuzzer, which cannot see through a comparison of texts. */
export function dictionary(scratch) {
  const words = new Set();
  for (const path of WORDY.flatMap((path) => rustFiles(inRoot(path)))) {
    for (const [, word] of readFileSync(path, "utf8").matchAll(/"([\w:.-]{2,40})"/g)) words.add(word);
  }
  const file = join(scratch, "words.dict");
  mkdirSync(scratch, { recursive: true });
  writeFileSync(file, [...words].map((word) => `"${word}"\n`).join(""));
  return file;
}

function rustFiles(path) {
  if (path.endsWith(".rs")) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith(".rs") && !/(^|\/)tests(\.rs$|\/)/.test(name))
    .map((name) => join(path, name));
}
