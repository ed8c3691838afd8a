// Reads a wasm file far enough to say how large each function is and which crate it comes from.

import { Reader } from "./wasm-reader.mjs";

const sectionNames = ["custom", "types", "imports", "functions", "tables", "memory", "globals", "exports"];
sectionNames.push("start", "elements", "code", "data", "data count", "tags");

function* sections(bytes) {
  const reader = new Reader(bytes, 8);
  while (reader.at < reader.end) {
    const id = reader.byte();
    const part = reader.part(reader.number());
    const size = part.end - part.at;
    yield { id, name: id === 0 ? `custom "${part.text()}"` : sectionNames[id], size, part };
  }
}

/** Bytes of each section by name. */
export function sectionSizes(bytes) {
  const sizes = new Map();
  for (const { name, size } of sections(bytes)) sizes.set(name, (sizes.get(name) ?? 0) + size);
  return sizes;
}

/** `{name, crate, bytes}` of each function that has a body. */
export function functionSizes(bytes) {
  let imported = 0;
  const names = functionNames(bytes);
  const bodies = [];
  for (const { id, part } of sections(bytes)) {
    if (id === 2) imported = part.countImports();
    if (id === 10) for (let n = part.number(); n > 0; n--) bodies.push(skip(part));
  }
  return bodies.map((size, index) => {
    const name = readable(names.get(imported + index) ?? `function ${index}`).replace(
      /\[[0-9a-f]{16}\]/g,
      "",
    );
    return { name, crate: crateOf(name), bytes: size };
  });
}

function skip(part) {
  const size = part.number();
  part.part(size);
  return size;
}

/** The names of the functions by their number, as the file has them. */
export function functionNames(bytes) {
  const found = [...sections(bytes)].find(({ name }) => name === 'custom "name"');
  const names = new Map();
  if (!found) return names;
  const { part } = found;
  while (part.at < part.end) {
    const kind = part.byte();
    const sub = part.part(part.number());
    if (kind !== 1) continue;
    for (let n = sub.number(); n > 0; n--) names.set(sub.number(), sub.text());
  }
  return names;
}

const escapes = { SP: "@", BP: "*", RF: "&", LT: "<", GT: ">", LP: "(", RP: ")", C: "," };

/** Undoes rustc's legacy mangling; of its v0 mangling, which the standard library has, it keeps the identifiers. */
function readable(name) {
  if (name.startsWith("_R")) return identifiersOfV0(name).join("::");
  if (!/^_?_ZN/.test(name)) return name.replace(/::h[0-9a-f]{16}$/, "");
  const parts = [];
  let rest = name.slice(name.indexOf("ZN") + 2);
  for (let match = /^(\d+)/.exec(rest); match; match = /^(\d+)/.exec(rest)) {
    const from = match[1].length;
    parts.push(rest.slice(from, from + Number(match[1])));
    rest = rest.slice(from + Number(match[1]));
  }
  if (/^h[0-9a-f]{16}$/.test(parts.at(-1))) parts.pop();
  return parts
    .map((part) => part.replace(/^_(?=\$)/, ""))
    .join("::")
    .replace(/\$u([0-9a-f]+)\$/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/\$(SP|BP|RF|LT|GT|LP|RP|C)\$/g, (_, code) => escapes[code])
    .replaceAll("..", "::");
}

function identifiersOfV0(name) {
  const found = [];
  // Without the hashes that tell crates of one name apart.
  let rest = name.slice(2).replace(/s[0-9A-Za-z]{5,}_(?=\d)/g, "");
  for (let match = /[A-Za-z_](\d+)_?/.exec(rest); match; match = /[A-Za-z_](\d+)_?/.exec(rest)) {
    const length = Number(match[1]);
    const from = match.index + match[0].length;
    const identifier = rest.slice(from, from + length);
    // A number of a disambiguator, not of an identifier.
    const isOne = length > 0 && identifier.length === length && /^[A-Za-z_]\w*$/.test(identifier);
    if (isOne) found.push(identifier);
    rest = rest.slice(isOne ? from + length - 1 : match.index + 1);
  }
  return found;
}

const standard = new Set(["core", "alloc", "std", "dlmalloc", "hashbrown", "panic_abort"]);

/** The first crate of a path that is not the standard library, else the first. */
function crateOf(name) {
  const paths = [...name.matchAll(/(?<![\w:])([a-z_][a-z0-9_]*)(?:\[[0-9a-f]+\])?::/g)].map((m) => m[1]);
  const outside = paths.find((path) => !standard.has(path));
  if (outside) return outside;
  if (paths.length === 0) return "no crate (shims, memcpy and the like)";
  return /(?<![\w:])(?:core|alloc|std|dlmalloc|hashbrown)(?:::\w+)?/.exec(name)?.[0] ?? "std";
}
