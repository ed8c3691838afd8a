// What the panel shows of the client: read through its own API, and of the browser what it alone knows.
import { useChatClient, useConnection } from "chatwire/react";
import { useEffect, useState } from "react";

/** How many messages and changes wait on this device; null before it is known. */
export function useWaiting(): number | null {
  const client = useChatClient();
  const [waiting, setWaiting] = useState<number | null>(null);
  useEffect(() => {
    if (!client) return;
    let isWanted = true;
    const look = () =>
      client.outbox().then(
        (queued) => isWanted && setWaiting(queued.filter(({ status }) => status !== "failed").length),
        // Closed meanwhile.
        () => {},
      );
    look();
    const stops = [client.on("status", look), client.on("connection", look), client.on("leader", look)];
    return () => {
      isWanted = false;
      for (const stop of stops) stop();
      setWaiting(null);
    };
  }, [client]);
  return waiting;
}

/** How many tabs of this user there are: each holds a shared lock for as long as it lives, however it ends. */
export function useTabs(userId: string): number {
  const [tabs, setTabs] = useState(1);
  useEffect(() => {
    const name = `chatwire.demo.tab.${userId}`;
    const ending = new AbortController();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    navigator.locks
      .request(name, { mode: "shared", signal: ending.signal }, () => held)
      // Given up before it was had.
      .catch(() => {});
    const count = async () => {
      const locks = (await navigator.locks.query()).held ?? [];
      if (!ending.signal.aborted) setTabs(Math.max(1, locks.filter((lock) => lock.name === name).length));
    };
    count();
    // Nothing tells when another tab takes its lock or ends.
    const timer = setInterval(count, 1000);
    return () => {
      clearInterval(timer);
      ending.abort();
      release();
    };
  }, [userId]);
  return tabs;
}

/** Who holds the one socket of all tabs. */
export function useHolder(): "this tab" | "another tab" | "no tab" {
  const { state, leader, isConnected } = useConnection();
  if (isConnected) return leader ? "this tab" : "another tab";
  return state === "waiting" && !leader ? "another tab" : "no tab";
}

/** How long the connection was lost for, each time that it is back where it was: not switched off, nor taken over. */
export function useOutage(onBack: (ms: number) => void): void {
  const client = useChatClient();
  useEffect(() => {
    if (!client) return;
    let before = client.connection;
    let lost: { at: number; leader: boolean } | null = null;
    return client.on("connection", (now) => {
      const { state, leader } = now;
      if (state === "online") {
        if (lost?.leader === leader) onBack(performance.now() - lost.at);
        lost = null;
      } else if (state === "closed" || state === "offline") lost = null;
      else if (before.state === "online") lost = { at: performance.now(), leader: before.leader };
      before = now;
    });
  }, [client, onBack]);
}
