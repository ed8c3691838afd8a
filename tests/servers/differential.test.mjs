// Our codecs beside the official ones: random values that one side writes are the same when the other has read them.
import { before, describe, test } from "node:test";
import { buildCodec, compare, comparisons } from "../differential/run.mjs";

describe("codecs beside the official ones, 100,000 cases each way", () => {
  let program;
  before(async () => (program = await buildCodec()));

  for (const name of Object.keys(comparisons)) {
    test(name, () => compare(program, name, { cases: 100_000, seed: 1 }));
  }
});
