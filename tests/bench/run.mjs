// The rounds: each visit is a browser of its own that nothing is attached to, contenders in turn.
import { Profile } from "../e2e/figures/lone.mjs";
import { bytesUntilAcknowledged } from "../e2e/lib/bytes.mjs";
import { buildPages, servePages, startBackend } from "./serve.mjs";
import { besideEachOther } from "./tabs.mjs";

/** Gives each work its `samples`, by contender, one a round. */
export async function measure(works, { rounds, say }) {
  // Of a page by itself, the same in each round: no contender has to be beside it.
  for (const work of works.filter(({ counted }) => counted)) {
    say(`${work.name}: counting`);
    work.samples = { chatwire: [{ ms: (await bytesUntilAcknowledged()).sum, problem: null }] };
  }
  const timed = works.filter(({ counted }) => !counted);
  if (timed.length === 0) return;
  await buildPages();
  const pages = await servePages();
  const backend = await startBackend();
  try {
    for (const work of timed) {
      work.samples = Object.fromEntries(work.contenders.map((contender) => [contender, []]));
      const bench = new Bench(work, pages, backend);
      try {
        if (work.fill) for (const contender of work.contenders) await bench.fill(contender);
        for (let round = 0; round < rounds; round++) {
          const size = work.count ? `, ${work.count} messages` : "";
          say(`${work.name}${size}: round ${round + 1} of ${rounds}`);
          // Turned round each time: nobody is always the first.
          const turn = round % 2 === 0 ? work.contenders : work.contenders.toReversed();
          for (const contender of turn) work.samples[contender].push(await bench.sample(contender));
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

  sample(contender) {
    return this.work.order.tabs ? this.#tabs(contender) : this.visit(contender);
  }

  /** So many tabs of one user; what their browser takes is read from outside. */
  async #tabs(contender) {
    const [profile, userId] = [await Profile.create(), nextUser()];
    const whole = { ...this.work.order, contender, userId };
    try {
      const address = this.#addressOf({ ...whole, work: this.work.work, isChecked: false });
      const { backend, pages } = this;
      const sample = await profile.visitAs(address, (pid) =>
        besideEachOther({ ...whole, pid, pages, backend }),
      );
      const { problem } = await this.#open({ profile, userId }, { contender, work: "stored" });
      return { ...sample, problem };
    } finally {
      await profile.remove();
    }
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
    const address = this.#addressOf({ ...this.work.order, ...order, userId });
    const sample = await profile.visit(address, this.pages.next());
    await this.backend.control("forget", { user: userId });
    return sample;
  }

  #addressOf(order) {
    const whole = JSON.stringify({ ...order, url: this.backend.url });
    return `${this.pages.url}/index.html#${encodeURIComponent(whole)}`;
  }
}

function nextUser() {
  users += 1;
  return `user-${users}`;
}
