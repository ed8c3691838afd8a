import type { Conversation } from "chatwire";
import { useChat, useChatClient } from "chatwire/react";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { type Backend, titleOf } from "./backends.js";
import { Composer } from "./Composer.js";
import { MessageList } from "./MessageList.js";
import { useNames } from "./names.js";
import { PhotoRequest } from "./PhotoRequest.js";
import { Avatar } from "./Sidebar.js";
import type { Session } from "./session.js";

type Props = { conversationId: string; session: Session; backend: Backend; onBack: () => void };

export function ConversationPane({ conversationId, session, backend, onBack }: Props) {
  const me = session.user.id;
  const chat = useChat(conversationId);
  const conversation = useConversation(conversationId);
  const isUnknown = !conversation && chat.errorDetail?.code === "notFound";
  const title = isUnknown ? "Conversation" : titleOf(backend, conversationId, conversation?.title);
  const nameOf = useNames(session, backend, conversation, chat.messages);
  const isPeerOnline = usePeerOnline(conversation, me);
  const subtitle = conversation && subtitleOf(conversation, me, chat.isConnected && isPeerOnline);
  const typing = chat.typingUsers.map(nameOf);
  useMarkRead(chat.messages.findLast((message) => message.sender !== "me")?.rowKey, chat.markRead);

  return (
    <main className="pane">
      <header className="pane-head">
        <button type="button" className="back quiet" onClick={onBack} aria-label="Back to the conversations">
          ←
        </button>
        <Avatar name={title} />
        <div className="grow cut">
          <h1 className="cut">{title}</h1>
          {subtitle && <p className="muted small cut">{subtitle}</p>}
        </div>
        {backend.sendsPhotos && <PhotoRequest conversationId={conversationId} />}
      </header>
      <MessageList chat={chat} nameOf={nameOf} showNames={conversation?.kind === "group"} />
      <p className="typing" role="status" data-testid="typing-indicator" data-typing={typing.length > 0}>
        {typing.length > 0 && `${typing.join(", ")} ${typing.length === 1 ? "is" : "are"} typing…`}
      </p>
      {chat.error && (
        <p className="error-line" role="alert">
          <span className="grow">{isUnknown ? "There is no such conversation." : chat.error}</span>
          <button type="button" className="quiet" onClick={chat.clearError}>
            Dismiss
          </button>
        </p>
      )}
      <Composer
        conversationId={conversationId}
        drafts={session.draftsAt(backend.profile)}
        maxLength={backend.maxLength}
        onSend={chat.sendMessage}
        onTyping={chat.setTyping}
      />
    </main>
  );
}

function useConversation(id: string): Conversation | null {
  const client = useChatClient();
  const source = useMemo(() => client?.conversation(id) ?? none, [client, id]);
  return useSyncExternalStore(source.subscribe, source.getSnapshot);
}

const none = { subscribe: () => () => {}, getSnapshot: () => null };

function usePeerOnline(conversation: Conversation | null, me: string): boolean {
  const client = useChatClient();
  const peer = conversation?.kind === "direct" && conversation.members.find(({ userId }) => userId !== me);
  return useSyncExternalStore(
    (listener) => client?.on("presence", listener) ?? (() => {}),
    () => Boolean(peer && client?.presence(peer.userId)?.online),
  );
}

function subtitleOf({ kind, members }: Conversation, me: string, isPeerOnline: boolean): string {
  if (kind !== "group") return isPeerOnline ? "online" : "";
  // Not told by every backend.
  if (members.length === 0) return "";
  const others = members.filter(({ userId }) => userId !== me);
  return others.length === 0 ? "only you" : others.map(({ name }) => name).join(", ");
}

/** What is on a visible screen is read. */
function useMarkRead(newest: string | undefined, markRead: (rowKey: string) => Promise<void>): void {
  useEffect(() => {
    if (newest === undefined) return;
    const mark = () => {
      if (document.visibilityState === "visible") markRead(newest);
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [newest, markRead]);
}
