// `npm run e2e`: every suite in turn but those below; `npm run e2e -- demo kill` runs those whose file name matches one of
// the words, those too.
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { readArguments } from "../../scripts/lib/arguments.mjs";
import { firefox, howToGetFirefox } from "../../scripts/lib/firefox.mjs";
import { run, runMain, Told } from "../../scripts/lib/run.mjs";
import { parts } from "./parts.mjs";

// They install Next.js and Expo anew, 400 MB each, and build several times: minutes. Vite's, which goes the same way, and Vitest's and Jest's
// are part of every run.
const onDemand = ["examples-app.test.mjs", "examples-next.test.mjs", "examples-expo.test.mjs"];

const inFirefox = "firefox.test.mjs";

const folder = dirname(fileURLToPath(import.meta.url));

await runMain(async () => {
  const words = readArguments({}).positionals;
  const all = readdirSync(folder).filter((name) => name.endsWith(".test.mjs"));
  const isAsked = (name) =>
    words.length === 0 ? !onDemand.includes(name) : words.some((word) => name.includes(word));
  const asked = all.filter(isAsked);
  const second = asked.includes(inFirefox) ? await firefox() : undefined;
  const isLeftOut = (name) => name === inFirefox && !second && words.length === 0;
  const chosen = asked.filter((name) => !isLeftOut(name));
  if (chosen.length < asked.length) console.log(`${inFirefox} is left out: ${howToGetFirefox}`);
  if (chosen.length === 0)
    throw new Told(`No suite matches ${words.join(", ")}. There are: ${all.join(", ")}`);
  const env = { ...process.env, ...(await parts()), ...(second && { FIREFOX: second }) };
  // One after the other: they share two cores with the browsers and servers they start.
  const args = ["--test", "--test-concurrency=1", ...chosen];
  await run(process.execPath, args, { cwd: folder, env });
});
