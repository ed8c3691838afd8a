import { useConversations } from "chatwire/react";
import type { Backend } from "./backends.js";
import { useCompany } from "./meet.js";
import type { Session } from "./session.js";
import { Mark } from "./TopBar.js";

/** Where no conversation is open. */
export function Empty({ session, backend }: { session: Session; backend: Backend }) {
  const { label, error, meet } = useCompany(session, backend);
  const isAlone = useConversations().conversations.length === 0;
  return (
    <div className="pane empty">
      <Mark />
      <p className="empty-title">Choose a conversation{backend.begins !== "never" && ", or start one"}.</p>
      {isAlone && backend.begins === "people" && (
        <p className="muted">Alone here? Have a second window, signed in as somebody else.</p>
      )}
      {isAlone && (
        <button type="button" className="primary" data-testid="company" onClick={meet}>
          {label}
        </button>
      )}
      {error && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
