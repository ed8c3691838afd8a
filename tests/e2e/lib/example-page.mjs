// An example in the browser, as a person uses it, and what its page has fetched meanwhile.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";

const patience = { timeout: 60_000 };
/** A development server compiles the page when it is first asked for it. */
const compiling = { timeout: 180_000 };

class ExamplePage {
  #errors = [];
  #missing = [];
  #wasm = [];
  #origin;

  static async open(browser, url) {
    const shown = new ExamplePage();
    shown.#origin = new URL(url).origin;
    // A profile of its own: nothing is there from the one before.
    shown.context = await browser.newContext();
    shown.page = await shown.context.newPage();
    shown.page.on("pageerror", (error) => shown.#errors.push(String(error)));
    shown.page.on("response", (response) => shown.#note(response));
    await shown.page.goto(url, compiling);
    // A page that the server has rendered shows its buttons before they do anything.
    await shown.page.waitForFunction(
      () =>
        [...document.querySelectorAll("button, [role=button]")].some((button) =>
          Object.keys(button).some((key) => key.startsWith("__reactProps")),
        ),
      undefined,
      compiling,
    );
    return shown;
  }

  /** Only what the page's own server gives: the backend has its ways of saying no. */
  #note(response) {
    const { origin, pathname } = new URL(response.url());
    if (origin !== this.#origin) return;
    if (response.status() >= 400 && pathname !== "/favicon.ico")
      this.#missing.push(`${response.status()} ${pathname}`);
    if (pathname.endsWith(".wasm")) this.#wasm.push(response.headers()["content-type"]);
  }

  /** Who is signed in is kept: no button is waited for. What it fetches anew is not counted twice. */
  async reload() {
    this.#wasm.length = 0;
    await this.page.reload(compiling);
  }

  press(name) {
    return this.page.getByRole("button", { name }).click(patience);
  }

  async write(label, text) {
    await this.page.getByPlaceholder(label).fill(text, patience);
  }

  sees(text) {
    return this.#waitFor(text, this.page.getByText(text).first());
  }

  /** The status that a message of the components has, by its name: `acknowledged` is called `Sent` there. */
  seesStatus(text, status) {
    const row = this.page.getByRole("listitem").filter({ hasText: text });
    return this.#waitFor(`${text}, ${status}`, row.getByTitle(status, { exact: true }));
  }

  async #waitFor(text, place) {
    try {
      await place.waitFor(patience);
    } catch (cause) {
      const shown = await this.page.evaluate(() => document.body.innerText);
      throw new Error(`no ${text} on the page: ${shown}\n${this.#errors.join("\n")}`, { cause });
    }
  }

  /** @param wasm whether it came as a file of its own, streamed, or in a chunk. */
  async close({ wasm }) {
    await this.context.close();
    assert.deepEqual(this.#errors, []);
    assert.deepEqual(this.#missing, []);
    assert.deepEqual(this.#wasm, wasm === "file" ? ["application/wasm"] : []);
  }
}

/** The backend has what was said on the pages before, and tells it: each page says something else. */
let greeted = 0;

/** Opens what the README's section makes with `<ChatInterface />`, signs in and sends; then what is stored, without the backend. `wasm` as for `close`. */
export function talksFromReadme(url, wasm, backend) {
  return alone(url, wasm, async (shown, greeting) => {
    await shown.press("Sign in");
    await shown.write("Message", greeting);
    await shown.press("Send");
    await shown.seesStatus(greeting, "Sent");
    await backend.kill();
    await shown.reload();
    await shown.seesStatus(greeting, "Sent");
    await backend.start();
  });
}

/** The same of what it makes with hooks. */
export function sendsFromReadme(url, wasm, backend) {
  return alone(url, wasm, async (shown, greeting) => {
    await shown.press("Sign in");
    await shown.write("Message", greeting);
    await shown.press("Send");
    await shown.sees(`${greeting} · acknowledged`);
    await backend.kill();
    await shown.reload();
    await shown.sees(`${greeting} · acknowledged`);
    await backend.start();
  });
}

async function alone(url, wasm, act) {
  const browser = await launch();
  try {
    const shown = await ExamplePage.open(browser, url);
    greeted += 1;
    await act(shown, `hello ${greeted} from the README`);
    await shown.close({ wasm });
  } finally {
    await browser.close();
  }
}

/** The same in the larger examples, between two people. */
export async function talkInExample(url, wasm) {
  const browser = await launch();
  try {
    const [ana, ben] = [await ExamplePage.open(browser, url), await ExamplePage.open(browser, url)];
    for (const [person, name] of [
      [ana, "ana"],
      [ben, "ben"],
    ]) {
      await person.write("Your name", name);
      await person.press("Sign in");
      await person.sees("online");
    }
    await ana.write("Talk to", "ben");
    await ana.press("Open");
    await ana.write("Message", "hello ben");
    await ana.press("Send");
    await ana.sees(/I: hello ben.*acknowledged|I: hello ben.*delivered/);
    await ben.press(/^ana/);
    await ben.sees(/they: hello ben/);
    await ben.write("Message", "hello ana");
    await ben.press("Send");
    await ana.sees(/they: hello ana/);
    await ana.close({ wasm });
    await ben.close({ wasm });
  } finally {
    await browser.close();
  }
}
