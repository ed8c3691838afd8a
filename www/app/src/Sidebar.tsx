import type { Conversation } from "chatwire";
import { useConversations } from "chatwire/react";
import { whenOf } from "./format.js";
import { NewConversation } from "./NewConversation.js";
import type { Session } from "./session.js";

type Props = {
  session: Session;
  openId: string | null;
  onOpen: (id: string) => void;
  onSignOut: () => void;
};

export function Sidebar({ session, openId, onOpen, onSignOut }: Props) {
  const { conversations } = useConversations();
  return (
    <nav className="sidebar" aria-label="Conversations">
      <div className="me">
        <Avatar name={session.user.name} />
        <strong className="grow cut">{session.user.name}</strong>
        <button type="button" className="quiet" onClick={onSignOut}>
          Sign out
        </button>
      </div>
      <NewConversation session={session} onOpen={onOpen} />
      {conversations.length === 0 && (
        <p className="hint">No conversations yet. Start one by somebody's name.</p>
      )}
      <ul className="conversations">
        {conversations.map((conversation) => (
          <li key={conversation.id}>
            <Item conversation={conversation} isOpen={conversation.id === openId} onOpen={onOpen} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

type ItemProps = { conversation: Conversation; isOpen: boolean; onOpen: (id: string) => void };

function Item({ conversation: { id, title, lastMessage, unread }, isOpen, onOpen }: ItemProps) {
  return (
    <button
      type="button"
      className="conversation"
      data-testid="conversation-item"
      data-id={id}
      aria-current={isOpen}
      onClick={() => onOpen(id)}
    >
      <Avatar name={title} />
      <span className="lines">
        <span className="line">
          <strong className="cut grow">{title}</strong>
          {lastMessage && (
            <time className="muted small" dateTime={lastMessage.createdAt}>
              {whenOf(lastMessage.createdAt)}
            </time>
          )}
        </span>
        <span className="line">
          <span className="cut grow muted">{lastMessage ? previewOf(lastMessage) : "No messages yet"}</span>
          {unread > 0 && (
            <span className="badge" data-testid="unread" title={`${unread} unread`}>
              {unread}
              <span className="unseen"> unread</span>
            </span>
          )}
        </span>
      </span>
    </button>
  );
}

function previewOf(message: NonNullable<Conversation["lastMessage"]>): string {
  if (message.deletedAt) return "Message deleted";
  const text = message.text || message.type;
  return message.sender === "me" ? `You: ${text}` : text;
}

export function Avatar({ name }: { name: string }) {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7);
  return (
    <span className="avatar" aria-hidden="true" style={{ "--hue": hue } as React.CSSProperties}>
      {[...name.trim()][0]?.toUpperCase() ?? "?"}
    </span>
  );
}
