// React warns of what changes outside of `act` while a test of it runs. What a backend tells comes when it comes: who waits here
// for that expects changes, as Testing Library does where it waits.
import { later } from "./clock.js";

type Flagged = { IS_REACT_ACT_ENVIRONMENT?: boolean | undefined };

const flagged = globalThis as Flagged;

/** Two batches of the client, which tells once a frame: what has moved is shown. */
const SHOWN_MS = 40;

let waiting = 0;

/** Waits as a browser would, and until what was told meanwhile is shown. Nothing but the wait itself where no test of React runs. */
export async function outsideAct<T>(wait: () => Promise<T>): Promise<T> {
  if (!begin()) return wait();
  try {
    return await wait();
  } finally {
    await new Promise((resolve) => void later(resolve, SHOWN_MS));
    end();
  }
}

/** The same for what happens at once. */
export function changesOutsideAct(change: () => void): void {
  const isBegun = begin();
  try {
    change();
  } finally {
    if (isBegun) end();
  }
}

/** Whether there is anything to put back. Waits that overlap put it back once, at the last one's end. */
function begin(): boolean {
  if (waiting === 0 && flagged.IS_REACT_ACT_ENVIRONMENT !== true) return false;
  waiting += 1;
  flagged.IS_REACT_ACT_ENVIRONMENT = false;
  return true;
}

function end(): void {
  waiting -= 1;
  if (waiting === 0) flagged.IS_REACT_ACT_ENVIRONMENT = true;
}
