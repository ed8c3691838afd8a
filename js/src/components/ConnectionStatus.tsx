import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { type Connection, useConnection } from "../react/index.js";
import { useStrings } from "./provider.js";
import type { ChatStrings } from "./strings.js";

/** How the connection is, in words; when it is tried again, and a button that does so now. */
export function ConnectionStatus(): ReactNode {
  const strings = useStrings();
  const connection = useConnection();
  const isBrowserOnline = useSyncExternalStore(onNetwork, readNetwork, () => true);
  const seconds = useSecondsLeft(connection);
  const { reason, leader } = connection;
  // A socket of a network that is gone takes its time to say so; what has ended has another reason.
  const hasEnded = ["idle", "closed", "failed"].includes(connection.state);
  const state = isBrowserOnline || hasEnded ? connection.state : "offline";
  const words = strings.connection[wordOf(state, connection)];
  // It is written for developers, and says nothing of a connection that another tab has.
  const isExplained = reason !== null && ["waiting", "closed", "failed"].includes(state) && leader;
  return (
    <div className="chatwire chatwire-connection" data-state={state} data-leader={leader}>
      <span className="chatwire-dot" aria-hidden="true" />
      <p role="status" title={isExplained ? strings.because(words, reason) : undefined}>
        {words}
      </p>
      {/* Not in the live region: nobody wants to hear it count. */}
      {seconds !== null && state === "waiting" && (
        <p className="chatwire-muted">{strings.nextAttempt(seconds)}</p>
      )}
      {(state === "failed" || seconds !== null) && (
        // Where this ends is what stands here.
        <button type="button" className="chatwire-quiet" onClick={() => connection.connect().catch(() => {})}>
          {strings.tryNow}
        </button>
      )}
    </div>
  );
}

function wordOf(state: Connection["state"], { leader, reason }: Connection): keyof ChatStrings["connection"] {
  if (state === "waiting" && !leader) return "otherTab";
  return state === "failed" && reason === "auth" ? "refused" : state;
}

/** Whole seconds to the next attempt, counting down; null if none is waited for. */
function useSecondsLeft({ state, retryInMs, since }: Connection): number | null {
  const [now, setNow] = useState(0);
  const isWaiting = state === "waiting" && retryInMs !== null;
  useEffect(() => {
    if (!isWaiting) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [isWaiting]);
  if (!isWaiting || now === 0) return null;
  return Math.max(0, Math.ceil((Date.parse(since) + retryInMs - now) / 1000));
}

const readNetwork = () => navigator.onLine;

function onNetwork(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}
