// Which conversation is open: it stands in the address, so that a reload and the back button find it.
import { useSyncExternalStore } from "react";

export function open(id: string | null): void {
  location.hash = id === null ? "" : encodeURIComponent(id);
}

/** For a screen that is about to be drawn; there is no way back from it to the one before. */
export function openNow(id: string): void {
  const hash = id === "" ? "" : `#${encodeURIComponent(id)}`;
  history.replaceState(null, "", location.pathname + location.search + hash);
}

export function useOpenId(): string | null {
  return useSyncExternalStore(onHash, readHash);
}

function onHash(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

function readHash(): string | null {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null;
  }
}
