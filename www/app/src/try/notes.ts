import { useCallback, useEffect, useRef, useState } from "react";
import { rememberedNotes, rememberNotes } from "../session.js";
import { useOutage } from "./facts.js";

const reloadKey = "chatwire.reload";
const waitedBeforeReload = takeWaited();

export type Tried = "offline" | "reload" | "tab" | "server" | "backend";

/** What came of what was tried, seen in the client itself and kept over reloads. */
export function useNotes(now: { waiting: number | null; tabs: number; holder: string; backend: string }) {
  const { waiting, tabs, holder, backend } = now;
  const [notes, setNotes] = useState<Partial<Record<Tried, string>>>(rememberedNotes);
  const note = useCallback((step: Tried, text: string) => {
    setNotes((before) => (before[step] === text ? before : { ...before, [step]: text }));
  }, []);
  useEffect(() => rememberNotes(notes), [notes]);

  // The most that waited with nobody to send it, until nothing does. Each message waits a moment on its way.
  const most = useRef(0);
  useEffect(() => {
    if (waiting === null) return;
    if (waiting > 0 && holder === "no tab") most.current = Math.max(most.current, waiting);
    if (waiting === 0 && most.current > 0) {
      note("offline", `${messages(most.current)} waited on this device and went out, in order.`);
      most.current = 0;
    }
  }, [waiting, holder, note]);

  const isTold = useRef(waitedBeforeReload === null);
  useEffect(() => {
    if (isTold.current || waiting === null) return;
    isTold.current = true;
    note("reload", `Loaded anew: ${messages(waitedBeforeReload ?? 0)} waited before, ${waiting} after.`);
  }, [waiting, note]);

  useEffect(() => {
    if (tabs > 1 && holder !== "no tab") note("tab", `${tabs} tabs, one socket: ${holder} holds it.`);
  }, [tabs, holder, note]);

  useOutage(
    useCallback(
      (ms) => note("server", `The connection was lost, and back after ${(ms / 1000).toFixed(1)} s.`),
      [note],
    ),
  );

  const first = useRef(backend);
  useEffect(() => {
    if (backend !== first.current) note("backend", `Now ${backend}.`);
  }, [backend, note]);
  return notes;
}

/** Loads the page anew, which then says what was kept. */
export function reload(waiting: number): void {
  sessionStorage.setItem(reloadKey, String(waiting));
  location.reload();
}

function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

function takeWaited(): number | null {
  const kept = sessionStorage.getItem(reloadKey);
  sessionStorage.removeItem(reloadKey);
  return kept === null ? null : Number(kept);
}
