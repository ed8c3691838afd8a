// Reads the bytes of a wasm file, and writes its numbers and texts.

export class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** An unsigned LEB128 number. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  text() {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at).toString("utf8");
  }

  part(length) {
    this.at += length;
    return new Reader(this.bytes, this.at - length, this.at);
  }

  /** Passes over what an import is, behind its names; gives its kind, 0 for a function. */
  skipImport() {
    const kind = this.byte();
    // A function has a type; a table an element type and limits; a memory limits; a global a type and mutability.
    if (kind === 0) this.number();
    if (kind === 1) this.byte();
    if (kind === 1 || kind === 2) {
      const hasMaximum = this.byte() & 1;
      this.number();
      if (hasMaximum) this.number();
    }
    if (kind === 3) this.part(2);
    return kind;
  }

  /** How many functions an import section has; passes over it. */
  countImports() {
    let functions = 0;
    for (let n = this.number(); n > 0; n--) {
      this.text();
      this.text();
      if (this.skipImport() === 0) functions++;
    }
    return functions;
  }
}

/** A number as the format writes it (LEB128). */
export function number(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

/** A text as the format writes it: its length, its bytes. */
export function text(value) {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([number(bytes.length), bytes]);
}
