import { useConversations } from "chatwire/react";
import { useEffect, useRef, useState } from "react";
import type { Backend } from "./backends.js";
import { open } from "./open.js";
import { fixedPeer, type Session, userCalled } from "./session.js";

/** Somebody to talk to, for whoever is alone here: a person in a window of their own, or whom the backend offers. */
export function useCompany(session: Session, backend: Backend) {
  const { createDirect } = useConversations();
  const [error, setError] = useState<string | null>(null);
  const partner = session.user.name.toLowerCase() === "ben" ? "Ana" : "Ben";
  const [offer] = backend.offers;
  if (offer) return { label: `Talk to ${offer.title}`, error, meet: () => open(offer.id) };

  async function meet() {
    setError(null);
    // In the task of the click: browsers block other windows.
    window.open(`/?as=${partner}&with=${encodeURIComponent(session.user.name)}`, "_blank");
    try {
      const { id } = await userCalled(partner);
      open((await createDirect(id)).id);
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
    }
  }
  return { label: `Bring in ${partner}`, error, meet };
}

/** `?with=ben`: the conversation with them is open from the start, where another is not. */
export function useFixedPeer(backend: Backend, openId: string | null): void {
  const { createDirect } = useConversations();
  const isAsked = useRef(openId !== null || backend.begins !== "people");
  useEffect(() => {
    if (!fixedPeer || isAsked.current) return;
    isAsked.current = true;
    userCalled(fixedPeer)
      .then(({ id }) => createDirect(id))
      // Without it, the list is there.
      .then(
        ({ id }) => open(id),
        () => {},
      );
  }, [createDirect]);
}
