// Takes from the table of a wasm file what only wasm-bindgen needed there.
//
// For each kind of Rust closure that any function of js-sys could take, used here or not, a shim stands in the table, so
// that wasm-bindgen can look it up by its place; those that are used it exports. Nothing calls one by its place
// (`invoke` in wasm-bindgen's src/convert/closures.rs), but wasm-opt cannot know that and keeps them all, 2 KB of code.
import { functionNames } from "./wasm-names.mjs";
import { number, Reader } from "./wasm-reader.mjs";

const shim = /^wasm_bindgen(\[\w+\])?::convert::closures::_::invoke::</;

/** @returns the wasm with another function of the table at the places of such shims; needs the names of its functions. */
export function withoutUnusedShims(wasm) {
  const names = functionNames(wasm);
  const isShim = (index) => shim.test(names.get(index) ?? "");
  const parts = [wasm.subarray(0, 8)];
  const reader = new Reader(wasm, 8);
  while (reader.at < wasm.length) {
    const start = reader.at;
    const id = reader.byte();
    const part = reader.part(reader.number());
    const elements = id === 9 ? replacedElements(part, isShim) : undefined;
    if (elements) parts.push(Buffer.of(id), number(elements.length), elements);
    else parts.push(wasm.subarray(start, reader.at));
  }
  return Buffer.concat(parts);
}

/** `undefined` where a segment is of a kind that rustc does not write: then all stays. */
function replacedElements(part, isShim) {
  const count = part.number();
  const out = [number(count)];
  for (let at = 0; at < count; at++) {
    const start = part.at;
    // Functions of the first table, from a constant place: `i32.const n`, `end`.
    if (part.number() !== 0 || part.byte() !== 0x41) return undefined;
    part.number();
    if (part.byte() !== 0x0b) return undefined;
    out.push(part.bytes.subarray(start, part.at));
    const indices = Array.from({ length: part.number() }, () => part.number());
    const other = indices.find((index) => !isShim(index)) ?? indices[0];
    out.push(number(indices.length), ...indices.map((index) => number(isShim(index) ? other : index)));
  }
  return Buffer.concat(out);
}
