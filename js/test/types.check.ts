// Checked by tsc, never run: the public types are those that the core has. `generated/core.ts` comes from Rust, and a
// test of the crate holds it to the Rust types; here the hand-written types are held to it, in both directions.
import type * as core from "../src/generated/core.js";
import type * as face from "../src/types.js";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type SameKeys<A, B> = Same<keyof A, keyof B>;

export const checked: true[] = [
  true satisfies Same<core.ErrorCode, face.ErrorCode>,
  true satisfies Same<core.Failure, face.Failure>,
  true satisfies Same<core.Status, face.Status>,
  true satisfies Same<core.Message, face.Message>,
  true satisfies SameKeys<core.Message, face.Message>,
  true satisfies Same<core.Reaction, face.Reaction>,
  true satisfies Same<core.Member, face.Member>,
  true satisfies Same<core.Conversation, face.Conversation>,
  true satisfies SameKeys<core.Conversation, face.Conversation>,
  true satisfies Same<core.ConnectionState, face.ConnectionState>,
  true satisfies Same<core.ConnectionSnapshot, face.ConnectionSnapshot>,
  true satisfies SameKeys<core.ConnectionSnapshot, face.ConnectionSnapshot>,
  true satisfies Same<core.Guarantees, face.Guarantees>,
  true satisfies Same<core.Phase, face.Phase>,
];
