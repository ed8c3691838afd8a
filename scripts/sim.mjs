// `npm run sim`: the simulator (docs/reliability.md), built for speed.
//   -- --schedules N [--seed S]   N schedules from seed S on
//   -- --minutes M                as many as there is time for
//   -- --seed S --tell            one schedule as a story (--shrink: made small, if it fails)
//   -- --mutants                  the 36 broken promises, each of which must be caught (--mutant N: one of them)
import { isMain, run, runMain } from "./lib/run.mjs";

/** How cargo builds and runs the simulator; both at once, since the mutants are a build of their own. */
export function cargoSim(args) {
  const mutants = args.some((arg) => arg.startsWith("--mutant"));
  const features = mutants ? ["--features", "mutants"] : [];
  return ["test", "--profile", "sim", "-p", "chatwire", ...features, "--test", "sim", "--", ...args];
}

if (isMain(import.meta.url)) {
  const given = process.argv.slice(2);
  await runMain(() => run("cargo", cargoSim(given.length > 0 ? given : ["--schedules", "20000"])));
}
