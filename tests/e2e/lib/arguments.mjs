// What is given to a command of the tests.
import { Told } from "../../../scripts/lib/run.mjs";

/** A whole number from `least` on, or a word about what was given. */
export function whole(name, text, least) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Told(`--${name} ${text}: allowed are whole numbers from ${least}`);
  }
  return value;
}
