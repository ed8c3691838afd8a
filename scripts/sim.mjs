// `npm run sim`: the simulator (docs/reliability.md), built for speed.
//   -- --schedules N [--seed S]   N schedules from seed S on
//   -- --minutes M                as many as there is time for
//   -- --seed S --tell            one schedule as a story (--shrink: made small, if it fails)
//   -- --mutants                  the broken promises, each of which must be caught (--mutant N: one of them)
import { noneBeside, readArguments } from "./lib/arguments.mjs";
import { isMain, run, runMain, Told } from "./lib/run.mjs";

const OPTIONS = {
  schedules: { type: "string", least: 1 },
  seed: { type: "string", least: 0 },
  minutes: { type: "string", least: 1 },
  threads: { type: "string", least: 1 },
  tell: { type: "boolean" },
  shrink: { type: "boolean" },
  mutants: { type: "boolean" },
  mutant: { type: "string", least: 1 },
};

/** What says nothing together is refused, rather than that one of both is ignored. */
function assertOneWish(given) {
  const story = "tell" in given || "shrink" in given;
  if (story && !("seed" in given)) throw new Told("a story is that of one schedule: --seed S says which");
  // What one mutant does in a schedule is a story, too.
  const wishes = ["schedules", "minutes", "mutants", ...(story ? [] : ["mutant"])].filter(
    (name) => name in given,
  );
  if (story) wishes.push("tell");
  if (wishes.length > 1) throw new Told(`one of --${wishes.join(", --")} at a time`);
}

/** How cargo builds and runs the simulator; both at once, since the mutants are a build of their own. */
export function cargoSim(args) {
  const mutants = args.some((arg) => arg.startsWith("--mutant"));
  const features = mutants ? ["--features", "mutants"] : [];
  return ["test", "--profile", "sim", "-p", "chatwire", ...features, "--test", "sim", "--", ...args];
}

if (isMain(import.meta.url)) {
  await runMain(() => {
    // The simulator reads them itself, beside what cargo gives it, and in one form; here what is misspelt is refused.
    const given = noneBeside(readArguments(OPTIONS));
    assertOneWish(given);
    const args = Object.entries(given).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : [`--${name}`, `${value}`],
    );
    return run("cargo", cargoSim(args.length > 0 ? args : ["--schedules", "20000"]));
  });
}
