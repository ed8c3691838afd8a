import type { Conversation } from "chatwire";
import { useConversations } from "chatwire/react";
import type { ReactNode } from "react";
import { type Backend, titleOf } from "./backends.js";
import { whenOf } from "./format.js";
import { NewConversation } from "./NewConversation.js";
import { OpenById } from "./OpenById.js";
import type { Session } from "./session.js";

type Props = {
  session: Session;
  backend: Backend;
  choice: ReactNode;
  openId: string | null;
  onOpen: (id: string) => void;
  onSignOut: () => void;
};

export function Sidebar({ session, backend, choice, openId, onOpen, onSignOut }: Props) {
  const { conversations } = useConversations();
  const entries = entriesOf(conversations, backend);
  return (
    <nav className="sidebar" aria-label="Conversations">
      <div className="me">
        <Avatar name={session.user.name} />
        <strong className="grow cut">{session.user.name}</strong>
        <button type="button" className="quiet" onClick={onSignOut}>
          Sign out
        </button>
      </div>
      {choice}
      {backend.begins === "people" && <NewConversation session={session} onOpen={onOpen} />}
      {backend.begins === "id" && <OpenById backend={backend} onOpen={onOpen} />}
      {entries.length === 0 && <p className="hint">No conversations yet. Start one by somebody's name.</p>}
      <ul className="conversations">
        {entries.map((entry) => (
          <li key={entry.id}>
            <Item entry={entry} isOpen={entry.id === openId} onOpen={onOpen} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

type Entry = Pick<Conversation, "id" | "title" | "lastMessage" | "unread">;

/** The conversations there are, and below them those that the backend offers. */
function entriesOf(conversations: readonly Conversation[], backend: Backend): Entry[] {
  const known = conversations.map(({ id, title, lastMessage, unread }) => {
    return { id, title: titleOf(backend, id, title), lastMessage, unread };
  });
  const isNew = ({ id }: { id: string }) => !known.some((entry) => entry.id === id);
  const offered = backend.offers.filter(isNew).map((offer) => ({ ...offer, lastMessage: null, unread: 0 }));
  return [...known, ...offered];
}

type ItemProps = { entry: Entry; isOpen: boolean; onOpen: (id: string) => void };

function Item({ entry: { id, title, lastMessage, unread }, isOpen, onOpen }: ItemProps) {
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
