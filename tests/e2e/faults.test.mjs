// Answers that are lost, servers that end, tokens that expire: nothing lost, nothing twice, order kept.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

test("a message goes from one browser to the other", async () => {
  const { ana, ben, id } = await stage.pair();
  const sent = await ana.send(id, "hello");
  assert.equal(sent.durable, true);
  await ana.call("acknowledged", sent.key);
  await ben.untilCount(id, 1);
});
