// One tab of a `TabBrowser`. `evaluate` is called as Playwright's is, so that a `Client` can be driven in it.
import { until } from "../lib/until.mjs";
import { Protocol, ProtocolError } from "./protocol.mjs";

export class Tab {
  #protocol;
  /** The document that was loaded last, with all it asked for. */
  #loaded;

  /** @param target an entry of the browser's /json/list. */
  static async attach(target) {
    const tab = new Tab();
    tab.id = target.id;
    tab.#protocol = await Protocol.connect(target.webSocketDebuggerUrl);
    tab.#protocol.on("Page.lifecycleEvent", ({ name, loaderId }) => {
      if (name === "load") tab.#loaded = loaderId;
    });
    tab.#protocol.on("Inspector.targetCrashed", () => {
      tab.isAlive = false;
    });
    await tab.#protocol.send("Page.enable");
    await tab.#protocol.send("Page.setLifecycleEventsEnabled", { enabled: true });
    return tab;
  }

  /** Not crashed, and not closed. */
  isAlive = true;

  /** Not closed: a crashed tab is still there. */
  get isOpen() {
    return this.#protocol.isOpen;
  }

  async goto(url) {
    const { errorText, loaderId } = await this.#protocol.send("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    // Without a loader it went to a place within its document.
    if (loaderId) await until(`${url} to be loaded`, () => this.#loaded === loaderId);
  }

  async reload() {
    const loaded = this.#protocol.next("Page.loadEventFired");
    await this.#protocol.send("Page.reload");
    await loaded;
    this.isAlive = true;
  }

  /**
   * The value of an expression, or of a function called with `argument`; what it promises is awaited.
   * Rejects with what the page threw, and where it does not answer: a frozen page runs code, but keeps no promise that
   * needs a timer, a frame or the network.
   */
  async evaluate(code, argument, { patienceMs } = {}) {
    const expression = typeof code === "function" ? `(${code})(${JSON.stringify(argument)})` : code;
    const params = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.#protocol.send("Runtime.evaluate", params, {
      patienceMs,
    });
    if (exceptionDetails) {
      const { exception, text } = exceptionDetails;
      throw new Error(exception?.description ?? `${text} ${JSON.stringify(exception?.value)}`);
    }
    return result.value;
  }

  /** Waits until `isTrue(argument)` holds in the page; gives what it gave. */
  until(what, isTrue, argument, options) {
    return until(what, () => this.evaluate(isTrue, argument), options);
  }

  /** `onReport` hears what its pages tell through the binding `report`, as they tell it: from the next `goto` on. */
  async listen(onReport) {
    this.#protocol.on("Runtime.bindingCalled", ({ name, payload }) => {
      if (name === "report") onReport(JSON.parse(payload));
    });
    await this.#protocol.send("Runtime.enable");
    await this.#protocol.send("Runtime.addBinding", { name: "report" });
  }

  // ── what happens to tabs ──────────────────────────────────────────────────

  /** Closes it as a user does; `beforeunload` is not asked. Resolves when the browser has no such page any more. */
  async close() {
    this.isAlive = false;
    const gone = until(`tab ${this.id} to be closed`, () => !this.#protocol.isOpen);
    await Promise.all([gone, this.#protocol.send("Page.close").catch(passOver)]);
  }

  /** Its renderer dies, and with it every tab that lives in the same process. The tab can be reloaded, or closed. */
  async crash() {
    const crashed = this.#protocol.next("Inspector.targetCrashed");
    // Never answered.
    this.#protocol.send("Page.crash").catch(passOver);
    await crashed;
  }

  /** Freezes it as the browser does with hidden tabs: `freeze` is told first, then no task runs until `thaw`. */
  async freeze() {
    await this.#protocol.send("Page.setWebLifecycleState", { state: "frozen" });
  }

  async thaw() {
    await this.#protocol.send("Page.setWebLifecycleState", { state: "active" });
  }

  /** Makes it the visible tab; the one that was visible is hidden. */
  async bringToFront() {
    await this.#protocol.send("Page.bringToFront");
    await this.until(`tab ${this.id} to be visible`, () => document.visibilityState === "visible");
  }

  /** The browser's own garbage collection, twice: what is weakly held goes in the second. For memory to be compared. */
  async collectGarbage() {
    for (let i = 0; i < 2; i++) await this.#protocol.send("HeapProfiler.collectGarbage");
  }

  /** A command of the protocol that has no method here. */
  send(method, params) {
    return this.#protocol.send(method, params);
  }

  detach() {
    this.#protocol.close();
  }
}

function passOver(error) {
  if (!(error instanceof ProtocolError)) throw error;
}
