import { useState } from "react";

/** What was typed and not sent, by conversation. It goes with the session. */
export type Drafts = Map<string, string>;

/** The draft of one conversation, and what changes it; the latest is read by `now`, also after another one is shown. */
export function useDraft(drafts: Drafts, conversationId: string) {
  const now = () => drafts.get(conversationId) ?? "";
  const [text, setText] = useState(now);
  const write = (next: string) => {
    if (next === "") drafts.delete(conversationId);
    else drafts.set(conversationId, next);
    setText(next);
  };
  return { text, write, now };
}
