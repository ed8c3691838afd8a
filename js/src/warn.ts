// What a developer is told on the console, in development builds alone: which promises do not hold at this backend, and why a
// client never comes to be connected. In production nothing of it is left.
import type { ChatOptions, ConnectionSnapshot, Guarantees, Phase } from "./types.js";

/** What bundlers put in the place of this, and Node has. */
declare const process: { env: { NODE_ENV?: string } };

/** What is known of a client: `Snapshots` has it. */
type Known = { connection: ConnectionSnapshot; phase: Phase; guarantees: Guarantees };

const quiet = "This is said in development builds alone; logLevel: 'error' keeps it quiet.";

/** Failures in a row after which it is no accident. */
const failures = 3;

/**
 * What looks at a client after each batch, and says each thing once; none in production, and where the application wants quiet.
 * Where tabs, or clients of one page, share a connection, the one that has it speaks: it has heard the backend itself.
 */
export function watcher(
  profile: string,
  logLevel: ChatOptions["logLevel"],
): ((known: Known) => void) | undefined {
  try {
    // Written out for the bundlers, which put the mode in its place; without one there is no `process`.
    if (process.env.NODE_ENV === "development") {
      if (logLevel === "silent" || logLevel === "error") return undefined;
      let promises = false;
      let fails = false;
      return ({ connection, phase, guarantees }) => {
        const { state, attempt, leader, reason } = connection;
        if (state === "online") fails = true;
        if (!leader) return;
        if (!promises && phase === "live") {
          promises = true;
          if (guarantees.because.length > 0) console.warn(weaker(profile, guarantees));
        }
        if (!fails && state === "waiting" && attempt >= failures && reason !== null) {
          fails = true;
          console.warn(unconnected(profile, attempt, reason));
        }
      };
    }
  } catch {}
  return undefined;
}

function weaker(profile: string, { delivery, gaps, receipts, because }: Guarantees): string {
  return (
    `[chatwire] Not every promise holds at this backend (profile "${profile}"): delivery ${delivery}, gaps ${gaps}, ` +
    `receipts ${receipts ? "told" : "not told"}.\n- ${because.join("\n- ")}\n` +
    `chat.guarantees says the same. ${quiet}`
  );
}

function unconnected(profile: string, attempt: number, reason: string): string {
  return (
    `[chatwire] Not connected after ${attempt} attempts (profile "${profile}"): ${reason}\n` +
    "It goes on trying, and connect() stays pending. If the backend does run: are host, port and path of `url` right (and " +
    "`endpoint`, where paths are others), is it one for this `profile`, does `getToken` get a token, and is this origin let in " +
    "(CORS, proxies)?\n" +
    `chat.connection.reason says the same at any time. ${quiet}`
  );
}
