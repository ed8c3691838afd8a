import { type Connection, useChatClient, useConnection } from "chatwire/react";
import { useEffect, useLayoutEffect, useState, useSyncExternalStore } from "react";
import { isSwitchedOff, rememberSwitch } from "./session.js";

/** How the connection is, and the switch that ends it. */
export function ConnectionBar() {
  const connection = useConnection();
  const isBrowserOnline = useSyncExternalStore(onNetwork, () => navigator.onLine);
  const [isOff, setIsOff] = useState(isSwitchedOff);
  useStayingOff(isOff);
  const seconds = useSecondsLeft(connection);
  const text = describe(connection, isBrowserOnline, isOff);

  function toggle() {
    rememberSwitch(!isOff);
    setIsOff(!isOff);
    if (isOff) reconnect(connection);
    else connection.disconnect();
  }

  return (
    <header className="bar" data-state={isBrowserOnline ? connection.state : "offline"} title={text}>
      <span className="dot" aria-hidden="true" />
      <div className="grow">
        <p
          className="state"
          role="status"
          data-testid="connection-state"
          data-state={connection.state}
          data-leader={connection.leader}
        >
          {text}
        </p>
        {/* Not in the live region: nobody wants to hear it count. */}
        {seconds !== null && <p className="muted small cut">next attempt in {seconds} s</p>}
      </div>
      {(connection.state === "failed" || seconds !== null) && (
        <button type="button" className="quiet" onClick={() => reconnect(connection)}>
          Try now
        </button>
      )}
      <button
        type="button"
        className="switch"
        role="switch"
        aria-checked={isOff}
        data-testid="offline-switch"
        onClick={toggle}
        title="Disconnects this client; what you send meanwhile is kept"
      >
        <span className="knob" aria-hidden="true" />
        Offline
      </button>
    </header>
  );
}

/** A client connects by itself, also after a reload with the switch on: ended before its socket is open. */
function useStayingOff(isOff: boolean): void {
  const client = useChatClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the switch does later, `toggle` does.
  useLayoutEffect(() => {
    if (isOff) client?.disconnect();
  }, [client]);
}

function reconnect(connection: Connection): void {
  // Where this ends is what the bar shows.
  connection.connect().catch(() => {});
}

function describe({ state, reason, leader }: Connection, isBrowserOnline: boolean, isOff: boolean): string {
  if (isOff && state !== "online")
    return "Offline here: messages are kept, and go out later or by another tab";
  if (!isBrowserOnline || state === "offline")
    return "The browser is offline: messages are kept and go out later";
  switch (state) {
    case "idle":
      return "Not connected";
    case "connecting":
      return "Connecting…";
    case "authenticating":
      return "Signing in…";
    case "online":
      return "Online";
    case "waiting":
      if (!leader) return "Another tab of yours holds the connection";
      return reason ? `Waiting: ${reason}` : "Waiting";
    case "closed":
      return reason ? `Disconnected: ${reason}` : "Disconnected";
    case "failed":
      return reason ? `No connection: ${reason}` : "No connection";
  }
}

/** Whole seconds to the next attempt, counting down; null if none is waited for. */
function useSecondsLeft({ state, retryInMs, since }: Connection): number | null {
  const [now, setNow] = useState(Date.now);
  const isWaiting = state === "waiting" && retryInMs !== null;
  useEffect(() => {
    if (!isWaiting) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [isWaiting]);
  if (!isWaiting) return null;
  return Math.max(0, Math.ceil((Date.parse(since) + retryInMs - now) / 1000));
}

function onNetwork(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}
