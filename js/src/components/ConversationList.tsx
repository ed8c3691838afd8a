import { type KeyboardEvent, memo, type ReactNode, useState } from "react";
import { useChatClient, useConnection, useConversations, usePresence } from "../react/index.js";
import type { Conversation } from "../types.js";
import { Avatar } from "./Avatar.js";
import { useStrings, useTitles } from "./provider.js";
import { peerOf } from "./use-conversation.js";

/** Props of `ConversationList`. */
export type ConversationListProps = {
  selectedId?: string | null | undefined;
  onSelect: (conversationId: string) => void;
  /** Those that are archived, in place of the others. */
  archived?: boolean | undefined;
};

/** The conversations, as the client orders them: one stop of the tab key; by the arrow keys one goes through them. */
export function ConversationList({ selectedId, onSelect, archived }: ConversationListProps): ReactNode {
  const strings = useStrings();
  const me = useChatClient()?.userId;
  const titleOf = useTitles(me);
  const { conversations, phase } = useConversations({ archived: archived ?? false });
  const { state } = useConnection();
  // Without a connection nothing is on its way.
  const isAwaited = phase !== "live" && ["connecting", "authenticating", "online"].includes(state);
  const [reachedId, setReachedId] = useState<string | null>(null);
  const stop = [reachedId, selectedId].find((id) =>
    conversations.some((conversation) => conversation.id === id),
  );
  const stopId = stop ?? conversations[0]?.id;
  if (conversations.length === 0)
    return <p className="chatwire chatwire-hint">{isAwaited ? strings.loading : strings.noConversations}</p>;
  return (
    <ul className="chatwire chatwire-conversations" aria-label={strings.conversations} onKeyDown={moveFocus}>
      {conversations.map((conversation) => (
        <li key={conversation.id}>
          <Item
            conversation={conversation}
            title={titleOf(conversation)}
            peer={peerOf(conversation, me)}
            isSelected={conversation.id === selectedId}
            isStop={conversation.id === stopId}
            onReach={setReachedId}
            onSelect={onSelect}
          />
        </li>
      ))}
    </ul>
  );
}

type ItemProps = {
  conversation: Conversation;
  title: string;
  peer: string | undefined;
  isSelected: boolean;
  isStop: boolean;
  onReach: (conversationId: string) => void;
  onSelect: (conversationId: string) => void;
};

const Item = memo(function Item(props: ItemProps): ReactNode {
  const { conversation, title, peer, isSelected, isStop, onReach, onSelect } = props;
  const strings = useStrings();
  const { isOnline } = usePresence(peer);
  const { id, lastMessage, unread, draft } = conversation;
  return (
    <button
      type="button"
      className="chatwire-conversation"
      data-id={id}
      aria-current={isSelected}
      tabIndex={isStop ? 0 : -1}
      onFocus={() => onReach(id)}
      onClick={() => onSelect(id)}
    >
      <Avatar name={title} isOnline={isOnline} />
      <span className="chatwire-lines">
        <span className="chatwire-line">
          <strong className="chatwire-cut" dir="auto">
            {title}
          </strong>
          {lastMessage && (
            <time dateTime={lastMessage.createdAt}>{strings.when(new Date(lastMessage.createdAt))}</time>
          )}
        </span>
        <span className="chatwire-line">
          <span className="chatwire-cut chatwire-muted" dir="auto">
            {draft && !isSelected ? strings.draft(draft) : previewOf(conversation, strings)}
          </span>
          {unread > 0 && (
            <span className="chatwire-badge" title={strings.unread(unread)}>
              <span aria-hidden="true">{unread}</span>
              <span className="chatwire-unseen">{strings.unread(unread)}</span>
            </span>
          )}
        </span>
      </span>
    </button>
  );
});

function previewOf({ lastMessage }: Conversation, strings: ReturnType<typeof useStrings>): string {
  if (!lastMessage) return strings.noMessages;
  if (lastMessage.deletedAt) return strings.deleted;
  const text = lastMessage.text || lastMessage.type;
  return lastMessage.sender === "me" ? strings.ownPreview(text) : text;
}

function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  const items = [...event.currentTarget.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement as HTMLButtonElement);
  const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (target === undefined || !items[target]) return;
  event.preventDefault();
  items[target].focus();
}
