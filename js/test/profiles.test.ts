// One table: what every profile must do, times the profiles and one of an application's own, at real servers.
import { afterAll, beforeEach, describe, test } from "vitest";
import { type Column, columns, stopReference, type Word } from "./profiles/backends.js";
import { scenarios, sceneOf } from "./profiles/scenarios.js";
import { Tapped } from "./profiles/tapped.js";

Object.assign(globalThis, { WebSocket: Tapped });
beforeEach(Tapped.forget);
afterAll(stopReference);

const wordOf: Partial<Record<keyof typeof scenarios, Word>> = {
  "typing is told": "typing",
  "what was read becomes read": "receipts",
};

/** Its name, or why its wire has no such thing: then the test shows that nothing of it goes out. */
function nameOf(scenario: keyof typeof scenarios, { lacks }: Column) {
  const word = wordOf[scenario];
  const why = word && lacks[word];
  return why ? `${scenario}: no such thing: ${why}` : scenario;
}

for (const column of columns) {
  describe(column.name, () => {
    for (const [scenario, play] of Object.entries(scenarios)) {
      test(nameOf(scenario, column), async () => play(sceneOf(column, await column.serve())));
    }
  });
}
