// Random values, all of them following from a seed and the number of a case, and what two of them differ in.
import { randomOf } from "../e2e/lib/random.mjs";

/** As our codec's limits have it: levels of nesting, elements of the outer array, attachments. */
export const limits = { depth: 100, elements: 1024, attachments: 32 };

const words = ["", "a", "id", "0", "-1", "constructor", "toJSON", "num", "length", "é", "😀", "s", "b", " "];
const numbers = [
  0,
  -0,
  1,
  -1,
  0.1,
  1e21,
  1e-7,
  -1.5e300,
  5e-324,
  2 ** 53 - 1,
  -(2 ** 53),
  2 ** 63,
  2 ** 64,
  1.7976931348623157e308,
];
/** Escapes, what a JSON text may hold as it stands, line separators of JavaScript, the ends of the planes. */
const characters = [
  ...'"\\/\b\f\n\r\t\0\u001f\u007f\u0080\u2028\u2029\ud7ff\ue000\ufeff\ufffd\uffff\u{10000}\u{1f600}\u{10ffff}[]{},:',
];

export class Dice {
  #random;

  constructor(seed, number) {
    // Neighbours must not be alike: the first draws of mulberry32 with neighbouring seeds are far apart.
    this.#random = randomOf(Math.imul(seed, 0x9e3779b1) + Math.imul(number, 0x85ebca6b));
  }

  chance(of) {
    return this.#random() < of;
  }

  /** A whole number from 0 to below `end`. */
  below(end) {
    return Math.floor(this.#random() * end);
  }

  from(list) {
    return list[this.below(list.length)];
  }

  /** Small mostly. */
  few(most) {
    return Math.floor(this.#random() ** 3 * (most + 1));
  }

  /** Unicode without lone surrogates, which no UTF-8 can carry. */
  text(most = 12) {
    if (this.chance(0.3)) return this.from(words);
    let text = "";
    for (let left = this.few(most); left > 0; left--) text += this.#character();
    return text;
  }

  #character() {
    if (this.chance(0.4)) return String.fromCharCode(97 + this.below(26));
    if (this.chance(0.4)) return this.from(characters);
    if (this.chance(0.3)) return String.fromCodePoint(0x10000 + this.below(0x100000));
    const code = this.below(0x10000);
    return code >= 0xd800 && code < 0xe000 ? "\ud83d\ude00" : String.fromCharCode(code);
  }

  number() {
    if (this.chance(0.4)) return this.from(numbers);
    if (this.chance(0.5)) return this.below(2000) - 1000;
    return (this.#random() - 0.5) * 10 ** (this.below(600) - 300);
  }

  buffer(most = 24) {
    const bytes = Buffer.alloc(this.chance(0.2) ? 0 : this.few(this.chance(0.01) ? 5000 : most));
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.below(256);
    return bytes;
  }
}

/**
 * Values of one packet. `buffers` is how many may be in them; `levels` how deep each may go.
 * With buffers no object is like a placeholder or has `__proto__`: the official parser takes the one for an attachment,
 * and loses the other.
 */
export class Values {
  made = 0;

  constructor(dice, { levels = limits.depth - 1, buffers = 0 } = {}) {
    Object.assign(this, { dice, levels, buffers, hasBuffers: buffers > 0 });
  }

  /** One of them, whatever it is. */
  any(levels = this.levels) {
    const { dice } = this;
    if (dice.chance(0.004)) return this.deep(levels);
    return this.#value(Math.min(levels, 6), 1);
  }

  /** As deep as it may be; a buffer at the bottom stands for a placeholder, which is a level of its own. */
  deep(levels) {
    let value = levels > 0 && this.made < this.buffers ? this.#buffer() : [];
    for (let left = levels - 1; left > 0; left--) value = this.dice.chance(0.5) ? [value] : { a: value };
    return levels > 0 ? value : 0;
  }

  object(levels = this.levels) {
    const object = {};
    for (let left = this.dice.few(6); left > 0; left--)
      this.#put(object, this.#value(Math.min(levels, 6) - 1, 2));
    return object;
  }

  #value(levels, depth) {
    const { dice } = this;
    if (levels > 0 && this.made < this.buffers && dice.chance(0.4)) return this.#buffer();
    if (levels > 0 && dice.chance(0.6 / depth)) {
      if (dice.chance(0.5))
        return Array.from({ length: dice.few(6) }, () => this.#value(levels - 1, depth + 1));
      return this.object(levels);
    }
    return dice.from([
      null,
      true,
      false,
      dice.number(),
      dice.number(),
      dice.text(),
      dice.text(),
      dice.text(),
    ]);
  }

  #put(object, value) {
    const { dice } = this;
    let name = dice.text(8);
    if (!this.hasBuffers && dice.chance(0.02)) {
      name = dice.from(["__proto__", "_placeholder"]);
      if (name === "_placeholder") Object.assign(object, { _placeholder: true, num: dice.below(3) });
    }
    // Not by assignment, which sets the prototype instead of a field of that name.
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  }

  #buffer() {
    this.made++;
    return this.dice.buffer();
  }
}

/**
 * A value as JSON, written in ways that JSON.stringify has not: blanks, escapes, exponents, the sign of zero.
 * With `tagged` texts begin with `s` and buffers are `b` with their base64.
 */
export function written(dice, value, tagged = false) {
  const text = (text, tag = "") => {
    const json = JSON.stringify(tag + text);
    if (!dice.chance(0.2)) return json;
    // What is escaped already stays as it is.
    return json.replaceAll("/", "\\/").replace(/\\u....|\\.|[a-z\u0080-\uffff]/g, (part) => {
      return part.length > 1 ? part : `\\u${part.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
  };
  const blank = () => (dice.chance(0.05) ? dice.from([" ", "\t", "\n", "\r", "  "]) : "");
  const list = (open, parts, close) =>
    `${open}${blank()}${parts.join(`${blank()},${blank()}`)}${blank()}${close}`;
  const write = (value) => {
    if (typeof value === "string") return text(value, tagged ? "s" : "");
    if (typeof value === "number") return number(dice, value);
    if (Buffer.isBuffer(value)) return `"b${value.toString("base64")}"`;
    if (Array.isArray(value)) return list("[", value.map(write), "]");
    if (value === null || typeof value !== "object") return String(value);
    const fields = Object.keys(value).map((key) => `${text(key)}${blank()}:${blank()}${write(value[key])}`);
    return list("{", fields, "}");
  };
  return write(value);
}

function number(dice, value) {
  if (Object.is(value, -0)) return "-0";
  if (dice.chance(0.8)) return String(value);
  return dice.chance(0.5) ? value.toExponential().replace("e", "E") : value.toExponential();
}

/** What our codec's answer stands for: see codec.rs. */
export function untag(value) {
  if (typeof value === "string")
    return value[0] === "b" ? Buffer.from(value.slice(1), "base64") : value.slice(1);
  if (Array.isArray(value)) return value.map(untag);
  if (value === null || typeof value !== "object") return value;
  for (const key of Object.keys(value)) {
    const inner = untag(value[key]);
    Object.defineProperty(value, key, { value: inner, enumerable: true, writable: true, configurable: true });
  }
  return value;
}

/** Where two values differ, as a path with both sides; `undefined` where they do not. */
export function difference(found, wanted, { zeros = "are one" } = {}, path = "") {
  const here = () => `${path || "."}: ${shown(found)} for ${shown(wanted)}`;
  if (typeof wanted !== "object" || wanted === null || typeof found !== "object" || found === null) {
    const same = zeros === "are one" && wanted === 0 ? found === 0 : Object.is(found, wanted);
    return same ? undefined : here();
  }
  if (Buffer.isBuffer(wanted) || Buffer.isBuffer(found)) {
    return Buffer.isBuffer(wanted) && Buffer.isBuffer(found) && wanted.equals(found) ? undefined : here();
  }
  if (Array.isArray(wanted) !== Array.isArray(found)) return here();
  const keys = Object.keys(wanted);
  if (keys.length !== Object.keys(found).length) return here();
  for (const key of keys) {
    if (!Object.hasOwn(found, key)) return `${path}.${key}: missing`;
    const inner = difference(found[key], wanted[key], { zeros }, `${path}.${key}`);
    if (inner) return inner;
  }
  return undefined;
}

/** For people, and not the whole of a large value. */
export function shown(value) {
  const text = JSON.stringify(value, (_, inner) => (Object.is(inner, -0) ? "(-0)" : inner)) ?? String(value);
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length})` : text;
}
