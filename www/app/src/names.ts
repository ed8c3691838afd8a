import type { Message } from "chatwire";
import { useEffect, useMemo, useState } from "react";
import { type Backend, offeredTitle } from "./backends.js";
import type { Session } from "./session.js";

type Names = ReadonlyMap<string, string>;
const nobody: Names = new Map();
const none: readonly Message[] = [];

/** The names that no conversation tells: of whom a backend shows by ids alone, as the accounts have them. */
export function useNames(session: Session, backend: Backend, messages: readonly Message[]) {
  const accounts = useAccounts(session, backend.hidesNames ? messages : none);
  return useMemo(
    () => (userId: string) => accounts.get(userId) ?? offeredTitle(backend, userId),
    [accounts, backend],
  );
}

/** Asked for once for whoever is new. */
function useAccounts(session: Session, messages: readonly Message[]): Names {
  const [names, setNames] = useState(nobody);
  const isOther = (id: string) => id !== session.user.id;
  const wanted = [...new Set(messages.map(({ senderId }) => senderId))].filter(isOther).sort().join(" ");
  useEffect(() => {
    if (wanted === "") return;
    let isWanted = true;
    // Names are a help only: without them ids are shown.
    session.findUsers("").then(
      (users) => isWanted && setNames(new Map(users.map(({ id, name }) => [id, name]))),
      () => {},
    );
    return () => {
      isWanted = false;
    };
  }, [session, wanted]);
  return names;
}
