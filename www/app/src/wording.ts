// What the components say here otherwise than by themselves.
import { type ChatStrings, english } from "chatwire/components";

/** @param isOff the switch is on that disconnects this client. */
export function stringsOf(isOff: boolean): Partial<ChatStrings> {
  const { connection } = english;
  return {
    noConversations: "No conversations yet. Start one by somebody's name.",
    connection: {
      ...connection,
      offline: "The browser is offline: messages wait here",
      closed: isOff ? "Offline: messages wait here" : connection.closed,
    },
  };
}
