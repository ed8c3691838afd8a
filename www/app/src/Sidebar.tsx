import { ConversationList } from "chatwire/components";
import { useConversations } from "chatwire/react";
import { type ReactNode, useState } from "react";
import type { Backend } from "./backends.js";
import { NewConversation } from "./NewConversation.js";
import { OpenById } from "./OpenById.js";
import type { Session } from "./session.js";
import { chooseTheme, chosenTheme, type Theme, themes } from "./theme.js";

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
  const isNew = ({ id }: { id: string }) => !conversations.some((known) => known.id === id);
  const offers = backend.offers.filter(isNew);
  return (
    <nav className="sidebar" aria-label="Conversations">
      <div className="me">
        <strong className="cut" title={session.user.name}>
          {session.user.name}
        </strong>
        <ThemeChoice />
        <button type="button" className="quiet" onClick={onSignOut}>
          Sign out
        </button>
      </div>
      {choice}
      {backend.begins === "people" && <NewConversation session={session} onOpen={onOpen} />}
      {backend.begins === "id" && <OpenById backend={backend} onOpen={onOpen} />}
      {(conversations.length > 0 || offers.length === 0) && (
        <ConversationList selectedId={openId} onSelect={onOpen} />
      )}
      {offers.length > 0 && (
        <>
          <h2 className="offers-title">Not spoken to yet</h2>
          <ul className="offers">
            {offers.map(({ id, title }) => (
              <li key={id}>
                <button
                  type="button"
                  className="offer"
                  data-testid="offer"
                  data-id={id}
                  aria-current={id === openId}
                  onClick={() => onOpen(id)}
                >
                  {title}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <select
      className="theme"
      aria-label="Theme"
      data-testid="theme"
      value={theme}
      onChange={(event) => {
        const chosen = event.target.value as Theme;
        chooseTheme(chosen);
        setTheme(chosen);
      }}
    >
      {Object.entries(themes).map(([name, label]) => (
        <option key={name} value={name}>
          {label}
        </option>
      ))}
    </select>
  );
}
