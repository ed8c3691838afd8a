// One suite while it runs: its commands one after the other, what they wrote, what they counted, a sign of life.
import { exec, inRoot } from "../lib/run.mjs";
import { seconds } from "../lib/steps.mjs";
import { add, none } from "./counts.mjs";

const lifeEveryMs = 15_000;

export class Suite {
  counts = none();
  /** Tests by their names, where they are told otherwise than in the log. */
  results = [];
  #log = "";
  #began = performance.now();
  #lastLine = "";

  constructor(name) {
    this.name = name;
  }

  get elapsedMs() {
    return performance.now() - this.#began;
  }

  /** Everything failed or skipped, or nothing ran: the suite has not passed. */
  get hasPassed() {
    return this.counts.failed === 0 && this.counts.skipped === 0 && this.counts.passed > 0;
  }

  get log() {
    return this.#log;
  }

  /** A command that is one test: it passes by ending with code 0. */
  async check(title, command, args, options) {
    const { code } = await this.#exec(title, command, args, options);
    this.#count(title, { ...none(), [code === 0 ? "passed" : "failed"]: 1 });
  }

  /** A command that runs tests and says how many: `count(output)`, perhaps asynchronous, reads it. */
  async tests(title, command, args, { count, ...options }) {
    const { code, output } = await this.#exec(title, command, args, options);
    let counts = none();
    try {
      counts = await count(output);
    } catch (error) {
      this.note(`${title}: no count of tests: ${error.message}`);
    }
    // Broken before or after its tests, or without any: that is one failure more than it counted itself.
    const isBroken =
      (code !== 0 && counts.failed === 0) || counts.passed + counts.failed + counts.skipped === 0;
    this.#count(title, isBroken ? { ...counts, failed: counts.failed + 1 } : counts);
  }

  /** Something that the tests need; its failure is the suite's. */
  async need(title, act) {
    try {
      await act();
      return true;
    } catch (error) {
      this.note(`${title}: ${error.message}`);
      this.counts = add(this.counts, { ...none(), failed: 1 });
      return false;
    }
  }

  note(text) {
    this.#log += `${text}\n`;
  }

  async #exec(title, command, args, { env, cwd } = {}) {
    this.note(`\n$ ${[command, ...args].join(" ")}`);
    const began = performance.now();
    const live = setInterval(() => this.#showLife(title, began), process.stdout.isTTY ? 1_000 : lifeEveryMs);
    const result = await exec(command, args, {
      cwd: cwd ? inRoot(cwd) : inRoot(),
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      onOutput: (text) => {
        this.#log += text;
        const line = text.trimEnd().split("\n").at(-1).trim();
        if (line) this.#lastLine = line;
      },
    });
    clearInterval(live);
    if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
    return result;
  }

  #showLife(title, began) {
    const line =
      `  ${this.name} · ${title} · ${seconds(performance.now() - began)} · ${this.#lastLine}`.slice(0, 110);
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
    else console.log(line);
  }

  #count(title, counts) {
    this.counts = add(this.counts, counts);
    const parts = [`${counts.passed} passed`];
    if (counts.failed > 0) parts.push(`${counts.failed} FAILED`);
    if (counts.skipped > 0) parts.push(`${counts.skipped} SKIPPED`);
    console.log(`  ${title}: ${parts.join(", ")}`);
  }
}
