import { useChatClient } from "chatwire/react";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import type { Backend } from "./backends.js";
import { ConnectionBar } from "./ConnectionBar.js";
import { ConversationPane } from "./ConversationPane.js";
import { Sidebar } from "./Sidebar.js";
import type { Session } from "./session.js";

type Props = { session: Session; backend: Backend; choice: ReactNode; onSignOut: () => void };

/** The list on the left, a conversation on the right; one of them at a time where there is no room for both. */
export function ChatScreen({ session, backend, choice, onSignOut }: Props) {
  const client = useChatClient();
  const openId = useOpenId();

  useEffect(() => {
    // For the curious: chat.diagnostics(), chat.guarantees, chat.outbox() in the console.
    if (client) window.chat = client;
  }, [client]);

  return (
    <div className="screen" data-open={openId !== null}>
      <ConnectionBar />
      <Sidebar
        session={session}
        backend={backend}
        choice={choice}
        openId={openId}
        onOpen={open}
        onSignOut={onSignOut}
      />
      {openId === null ? (
        <main className="pane empty">
          <p className="muted">Choose a conversation{backend.begins !== "never" && ", or start one"}.</p>
        </main>
      ) : (
        <ConversationPane
          key={openId}
          conversationId={openId}
          session={session}
          backend={backend}
          onBack={() => open(null)}
        />
      )}
    </div>
  );
}

declare global {
  interface Window {
    chat?: import("chatwire").ChatClient;
  }
}

// The open conversation stands in the address, so that a reload and the back button find it.
function open(id: string | null): void {
  location.hash = id === null ? "" : encodeURIComponent(id);
}

function useOpenId(): string | null {
  return useSyncExternalStore(onHash, readHash);
}

function onHash(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

function readHash(): string | null {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null;
  }
}
