import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { Conversation } from "../types.js";
import { type ChatStrings, english } from "./strings.js";

/** What the components say, and what they call people and conversations. */
export type Wording = {
  /** In place of the English ones; those left out stay. */
  strings?: { [Word in keyof ChatStrings]?: ChatStrings[Word] | undefined } | undefined;
  /** A user's name by id, where the conversation's members do not tell it. */
  nameOf?: ((userId: string) => string | undefined) | undefined;
  /** A conversation's title; by default its own, or the names of the other members. */
  titleOf?: ((conversation: Conversation) => string | undefined) | undefined;
};

type Context = { strings: ChatStrings } & Omit<Wording, "strings">;

const WordingContext = createContext<Context>({ strings: english });

/** Props of `WordingProvider`. */
export type WordingProviderProps = Wording & { children?: ReactNode };

/** Words for all components below it; what is left out is as above it. Give it values that stay the same. */
export function WordingProvider({ strings, nameOf, titleOf, children }: WordingProviderProps): ReactNode {
  const above = useContext(WordingContext);
  const value = useMemo(
    () => ({
      strings: strings ? { ...above.strings, ...defined(strings) } : above.strings,
      nameOf: nameOf ?? above.nameOf,
      titleOf: titleOf ?? above.titleOf,
    }),
    [above, strings, nameOf, titleOf],
  );
  return <WordingContext.Provider value={value}>{children}</WordingContext.Provider>;
}

/** A word that is undefined is one that was left out. */
function defined(strings: NonNullable<Wording["strings"]>): Partial<ChatStrings> {
  return Object.fromEntries(Object.entries(strings).filter(([, words]) => words !== undefined));
}

export function useStrings(): ChatStrings {
  return useContext(WordingContext).strings;
}

/** What a user is called in this conversation. */
export function useNames(conversation: Conversation | null): (userId: string) => string {
  const { nameOf } = useContext(WordingContext);
  return useMemo(() => {
    const members = new Map(conversation?.members.map(({ userId, name }) => [userId, name]));
    return (userId) => nameOf?.(userId) || members.get(userId) || userId;
  }, [conversation?.members, nameOf]);
}

/** What a conversation is called by the user `me`. */
export function useTitles(me: string | undefined): (conversation: Conversation) => string {
  const { titleOf, nameOf, strings } = useContext(WordingContext);
  return useMemo(
    () => (conversation) => {
      const others = conversation.members.filter(({ userId }) => userId !== me);
      const names = others.map(({ userId, name }) => nameOf?.(userId) || name).join(", ");
      // A direct one's own title is the other's name at the backend.
      const title = conversation.kind === "direct" && nameOf ? "" : conversation.title;
      return titleOf?.(conversation) || title || names || conversation.title || strings.untitled;
    },
    [titleOf, nameOf, strings, me],
  );
}
