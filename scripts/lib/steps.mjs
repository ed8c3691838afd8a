// Named, numbered steps with their time: `[2/6] npm packages … 12.3 s`.
import { Told } from "./run.mjs";

export function seconds(ms) {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export class Steps {
  #total;
  #done = 0;
  #began = performance.now();

  constructor(total) {
    this.#total = total;
  }

  /** Runs one step; a failure is told with the step's name. */
  async step(name, act) {
    const title = `[${++this.#done}/${this.#total}] ${name}`;
    const began = performance.now();
    console.log(title);
    try {
      const note = await act();
      console.log(`      ${note ? `${note}, ` : ""}${seconds(performance.now() - began)}`);
    } catch (error) {
      if (!(error instanceof Told)) throw error;
      throw new Told(`${title} failed after ${seconds(performance.now() - began)}:\n${error.message}`);
    }
  }

  /** Time since the first step. */
  get elapsed() {
    return seconds(performance.now() - this.#began);
  }
}
