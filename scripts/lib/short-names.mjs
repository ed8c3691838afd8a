// Short names for what wasm and glue know each other by.
//
// wasm-bindgen names each import and export after its Rust path and a hash, once in the wasm and once in the glue: 4 KB
// after compression, which say nothing in a browser. The pass of wasm-opt that does the same leaves wasm-bindgen's
// imports alone, and cannot know the glue.
//
// Short names are alike in every build: glue and wasm of two builds would fit and do nonsense. So the memory and the first
// import carry the build's own name, `chat` and eight hex digits: another build is refused when it is instantiated.
import { createHash } from "node:crypto";
import { Told } from "./run.mjs";
import { number, Reader, text } from "./wasm-reader.mjs";

const glueModule = "./chatwire_bg.js";

/** @returns `{wasm, glue, types}` with the names of `wasm`'s imports from the glue and of all its exports cut short. */
export function shortened(wasm, glue, types) {
  const build = `chat${createHash("sha256").update(wasm).digest("hex").slice(0, 8)}`;
  const imports = new Map();
  const exports = new Map();
  const parts = [wasm.subarray(0, 8)];
  const reader = new Reader(wasm, 8);
  while (reader.at < wasm.length) {
    const start = reader.at;
    const id = reader.byte();
    const size = reader.number();
    const body = new Reader(wasm, reader.at);
    reader.at += size;
    if (id === 2) parts.push(section(id, renamedImports(body, reader.at, imports, build)));
    else if (id === 7) parts.push(section(id, renamedExports(body, reader.at, exports, build, glue)));
    else parts.push(wasm.subarray(start, reader.at));
  }
  if (!glue.includes(`"${glueModule}"`)) throw new Told(`the glue does not name its module ${glueModule}`);
  const inGlue = replaced(glue, /^( +)(\w+)(?=: function\()/gm, imports);
  return {
    wasm: Buffer.concat(parts),
    glue: replaced(inGlue, /\b(wasm\.)(\w+)/g, exports).replaceAll(`"${glueModule}"`, '"a"'),
    types: types.replace(/(readonly )(\w+)(?=:)/g, (all, before, name) =>
      exports.has(name) ? before + exports.get(name) : all,
    ),
  };
}

/** Every name of the map must be met: a new version of wasm-bindgen may write its glue otherwise. */
function replaced(text, pattern, names) {
  const unmet = new Set(names.keys());
  const result = text.replace(pattern, (all, before, name) => {
    unmet.delete(name);
    return names.has(name) ? before + names.get(name) : all;
  });
  if (unmet.size > 0) throw new Told(`the glue does not name these of the wasm: ${[...unmet].join(", ")}`);
  return result;
}

function renamedImports(body, end, names, build) {
  const count = body.number();
  const out = [number(count)];
  for (let at = 0; at < count; at++) {
    const [module, name] = [body.text(), body.text()];
    const isGlue = module === glueModule;
    if (isGlue) names.set(name, names.size === 0 ? build : short(names.size));
    out.push(text(isGlue ? "a" : module), text(isGlue ? names.get(name) : name));
    const from = body.at;
    body.skipImport();
    out.push(body.bytes.subarray(from, body.at));
  }
  if (body.at !== end) throw new Told("the wasm's imports could not be read to their end");
  return out;
}

/** What the glue does not use keeps its name. */
function renamedExports(body, end, names, build, glue) {
  const used = new Set([...glue.matchAll(/\bwasm\.(\w+)/g)].map((match) => match[1]));
  const count = body.number();
  const out = [number(count)];
  for (let at = 0; at < count; at++) {
    const name = body.text();
    if (used.has(name)) names.set(name, name === "memory" ? build : short(names.size));
    out.push(text(names.get(name) ?? name));
    const from = body.at;
    body.byte();
    body.number();
    out.push(body.bytes.subarray(from, body.at));
  }
  if (body.at !== end) throw new Told("the wasm's exports could not be read to their end");
  return out;
}

/** a, b, … z, aa, ab, … */
function short(index) {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : short(Math.floor(index / 26) - 1) + last;
}

function section(id, parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(id), number(body.length), body]);
}
