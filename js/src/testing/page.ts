// What the page of a test says of the network, where there is a page.
import { changesOutsideAct } from "./act.js";

type Offline = { online(): void };

/** The links that have told it that there is none, and nothing since. */
const offline = new Set<Offline>();

/** As a browser does it: the property, then the event. */
export function tellPage(link: Offline, isOnline: boolean): void {
  if (typeof window === "undefined" || typeof navigator === "undefined") return;
  if (isOnline) offline.delete(link);
  else offline.add(link);
  // Its own getter is the prototype's.
  if (isOnline) Reflect.deleteProperty(navigator, "onLine");
  else Object.defineProperty(navigator, "onLine", { configurable: true, get: () => false });
  changesOutsideAct(() => void window.dispatchEvent(new window.Event(isOnline ? "online" : "offline")));
}

/** `beforeEach` and `afterEach` of a runner. */
export type Hook = (run: () => void) => void;

/** For each runner: a link that a test leaves offline is online for the next; one that was so before the test stays as it is. */
export function onlineAfterEach(beforeEach: Hook, afterEach: Hook): void {
  let before = new Set<Offline>();
  beforeEach(() => {
    before = new Set(offline);
  });
  afterEach(() => {
    for (const link of offline) if (!before.has(link)) link.online();
  });
}
