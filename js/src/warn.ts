// What a developer is told on the console, in development builds alone: which promises do not hold at this backend, and why.
import type { ChatOptions, Guarantees } from "./types.js";

/** What bundlers put in the place of this, and Node has. */
declare const process: { env: { NODE_ENV?: string } };

/** Written out for the bundlers, which put the mode in its place; without one there is no `process`. */
function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV === "development";
  } catch {
    return false;
  }
}

/** Says once, when a client is live, what `guarantees` says; nothing where every promise holds, and in production. */
export function warnOf(guarantees: Guarantees, profile: string, logLevel: ChatOptions["logLevel"]): void {
  if (guarantees.because.length === 0 || logLevel === "silent" || logLevel === "error") return;
  if (!isDevelopment()) return;
  const { delivery, gaps, receipts, because } = guarantees;
  console.warn(
    `[chatwire] Not every promise holds at this backend (profile "${profile}"): delivery ${delivery}, gaps ${gaps}, ` +
      `receipts ${receipts ? "told" : "not told"}.\n- ${because.join("\n- ")}\n` +
      "chat.guarantees says the same. This is said in development builds alone; logLevel: 'error' keeps it quiet.",
  );
}
