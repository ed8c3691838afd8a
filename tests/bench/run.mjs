// The rounds: each visit is a browser of its own that nothing is attached to, contenders in turn.
import { Profile } from "../e2e/figures/lone.mjs";
import { buildPages, servePages, startBackend } from "./serve.mjs";

/** Gives each work its `samples`, by contender, one a round. */
export async function measure(works, { rounds, say }) {
  await buildPages();
  const pages = await servePages();
  const backend = await startBackend();
  try {
    for (const work of works) {
      work.samples = Object.fromEntries(work.contenders.map((contender) => [contender, []]));
      const bench = new Bench(work, pages, backend);
      try {
        if (work.fill) for (const contender of work.contenders) await bench.fill(contender);
        for (let round = 0; round < rounds; round++) {
          const size = work.count ? `, ${work.count} messages` : "";
          say(`${work.name}${size}: round ${round + 1} of ${rounds}`);
          // Turned round each time: nobody is always the first.
          const turn = round % 2 === 0 ? work.contenders : work.contenders.toReversed();
          for (const contender of turn) work.samples[contender].push(await bench.visit(contender));
        }
      } finally {
        await bench.end();
      }
    }
  } finally {
    await backend.close();
    await pages.close();
  }
}

let users = 0;

class Bench {
  #filled = new Map();

  constructor(work, pages, backend) {
    Object.assign(this, { work, pages, backend });
  }

  async fill(contender) {
    const store = { profile: await Profile.create(), userId: nextUser() };
    this.#filled.set(contender, store);
    const { problem } = await this.#open(store, { contender, work: this.work.fill });
    if (problem) throw new Error(`${contender}, after the fill: ${problem}`);
  }

  async visit(contender) {
    const filled = this.#filled.get(contender);
    const order = { contender, work: this.work.work, isChecked: !filled && contender !== "limit" };
    if (filled) return this.#open(filled, order);
    const profile = await Profile.create();
    const lighter = this.work.lighter?.[contender] ?? 1;
    const { each, stored } = this.work.order;
    const less = lighter > 1 ? { each: each / lighter, stored: stored / lighter } : {};
    try {
      const sample = await this.#open({ profile, userId: nextUser() }, { ...order, ...less });
      return { ...sample, ms: sample.ms * lighter };
    } finally {
      await profile.remove();
    }
  }

  async end() {
    for (const { profile } of this.#filled.values()) await profile.remove();
  }

  async #open({ profile, userId }, order) {
    const whole = { ...this.work.order, ...order, url: this.backend.url, userId };
    const address = `${this.pages.url}/index.html#${encodeURIComponent(JSON.stringify(whole))}`;
    const sample = await profile.visit(address, this.pages.next());
    await fetch(`${this.backend.url}/control/forget`, {
      method: "POST",
      body: JSON.stringify({ user: userId }),
    });
    return sample;
  }
}

function nextUser() {
  users += 1;
  return `user-${users}`;
}
