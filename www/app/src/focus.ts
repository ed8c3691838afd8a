import { type RefObject, useEffect, useRef } from "react";

/** Whoever has just signed in by hand goes on with what comes first: the form in which they did so is gone. */
export function useFocusOnArrival(screen: RefObject<HTMLElement | null>, isArriving: boolean): void {
  useEffect(() => {
    if (isArriving && !isTouch()) screen.current?.querySelector<HTMLElement>("nav input")?.focus();
  }, [screen, isArriving]);
}

/**
 * Whoever opens a conversation writes next, and whoever leaves it is back at its place in the list: without this the focus
 * would be lost with what has gone.
 */
export function useFocusOnOpened(screen: RefObject<HTMLElement | null>, openId: string | null): void {
  const before = useRef(openId);
  useEffect(() => {
    const [left, root] = [before.current, screen.current];
    before.current = openId;
    if (left === openId || !root) return;
    const shown = isTouch() ? ".pane h2" : ".pane textarea";
    const selector = openId === null ? `nav [data-id="${CSS.escape(left ?? "")}"]` : shown;
    root.querySelector<HTMLElement>(selector)?.focus();
  }, [openId, screen]);
}

/** There a field in focus brings up the keyboard, which nobody has asked for yet. */
function isTouch(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}
