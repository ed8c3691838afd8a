import type { ReactNode } from "react";
import { useTyping } from "../react/index.js";
import { useNames, useStrings } from "./provider.js";
import { useConversation } from "./use-conversation.js";

/** Who else is typing. Its place stays when nobody does. */
export function TypingIndicator({ conversationId }: { conversationId: string }): ReactNode {
  const strings = useStrings();
  const { typingUsers, isTyping } = useTyping(conversationId);
  const nameOf = useNames(useConversation(conversationId));
  return (
    <p className="chatwire chatwire-typing" role="status" data-typing={isTyping}>
      {isTyping && strings.typing(typingUsers.map(nameOf))}
    </p>
  );
}
