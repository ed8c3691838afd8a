import type { Conversation, Message } from "chatwire";
import { useEffect, useMemo, useState } from "react";
import { type Backend, offeredTitle } from "./backends.js";
import type { Session } from "./session.js";

type Names = ReadonlyMap<string, string>;
const nobody: Names = new Map();

/** The name of a user by id: as the conversation has it, or, where a backend tells ids alone, as the accounts do. */
export function useNames(
  session: Session,
  backend: Backend,
  conversation: Conversation | null,
  messages: readonly Message[],
): (userId: string) => string {
  const accounts = useAccounts(session, backend.hidesNames ? messages : none);
  return useMemo(() => {
    const names = new Map(conversation?.members.map(({ userId, name }) => [userId, name]));
    return (userId) => names.get(userId) ?? accounts.get(userId) ?? offeredTitle(backend, userId) ?? userId;
  }, [conversation, accounts, backend]);
}

const none: readonly Message[] = [];

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
