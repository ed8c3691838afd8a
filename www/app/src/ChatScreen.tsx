import { WordingProvider } from "chatwire/components";
import { useChatClient } from "chatwire/react";
import { type ReactNode, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { type Backend, titleOf } from "./backends.js";
import { ConversationPane } from "./ConversationPane.js";
import { Empty } from "./Empty.js";
import { useFocusOnArrival, useFocusOnOpened } from "./focus.js";
import { useFixedPeer } from "./meet.js";
import { useOfflineSwitch } from "./offline.js";
import { open, useOpenId } from "./open.js";
import { Sidebar } from "./Sidebar.js";
import type { Session } from "./session.js";
import { keepShell } from "./shell.js";
import { TopBar } from "./TopBar.js";
import { TryPanel } from "./try/TryPanel.js";
import { stringsOf } from "./wording.js";

type Props = {
  session: Session;
  backend: Backend;
  /** They have just signed in by hand. */
  isArriving: boolean;
  choice: ReactNode;
  onBackend: (profile: string) => void;
  onSignOut: () => void;
};

/** Conversations, the one that is open, and what there is to try: beside each other, or one at a time where room is scarce. */
export function ChatScreen({ session, backend, isArriving, choice, onBackend, onSignOut }: Props) {
  const client = useChatClient();
  const openId = useOpenId();
  const offline = useOfflineSwitch();
  const { isTrying, tryButton, toggleTry } = useTrying();
  const screen = useRef<HTMLDivElement>(null);
  useFocusOnArrival(screen, isArriving);
  useFocusOnOpened(screen, openId);
  useFixedPeer(backend, openId);
  const hasRoomForOne = useMedia("(max-width: 43.99rem)");

  useEffect(() => {
    if (!client) return;
    // For the curious: chat.diagnostics(), chat.guarantees, chat.outbox() in the console.
    window.chat = client;
    return client.on("connected", () => void keepShell());
  }, [client]);

  async function signOut() {
    // What is typed and not sent goes with the session; what is queued stays, and goes out when the same user is back.
    const written = client?.conversations().getSnapshot() ?? [];
    const removed = written.filter(({ draft }) => draft !== "").map(({ id }) => client?.setDraft(id, ""));
    await Promise.allSettled(removed);
    onSignOut();
  }

  const { isOff } = offline;
  const strings = useMemo(() => stringsOf(isOff), [isOff]);
  const titles = useMemo(
    () =>
      ({ id, title }: { id: string; title: string }) =>
        titleOf(backend, id, title),
    [backend],
  );

  return (
    <WordingProvider strings={strings} titleOf={titles}>
      <div className="screen" ref={screen} data-open={openId !== null} data-trying={isTrying}>
        <TopBar offline={offline} isTrying={isTrying} tryButton={tryButton} onTry={toggleTry} />
        <main className="main">
          <Sidebar {...{ session, backend, choice, openId }} onOpen={open} onSignOut={signOut} />
          {/* Nothing is read where it cannot be seen. */}
          {hasRoomForOne && isTrying ? null : openId === null ? (
            <Empty session={session} backend={backend} />
          ) : (
            <ConversationPane
              key={openId}
              conversationId={openId}
              session={session}
              backend={backend}
              onBack={() => open(null)}
            />
          )}
          {isTrying && <TryPanel {...{ session, backend, offline, onBackend }} onClose={toggleTry} />}
        </main>
      </div>
    </WordingProvider>
  );
}

declare global {
  interface Window {
    chat?: import("chatwire").ChatClient;
  }
}

const tryingKey = "chatwire.trying";

/** Open where there is room for it, until somebody closes it. */
function useTrying() {
  const [isTrying, setIsTrying] = useState(() => {
    const kept = sessionStorage.getItem(tryingKey);
    return kept === null ? matchMedia("(min-width: 70rem)").matches : kept === "true";
  });
  const tryButton = useRef<HTMLButtonElement>(null);
  const toggleTry = () => {
    sessionStorage.setItem(tryingKey, String(!isTrying));
    setIsTrying(!isTrying);
    // It may have been closed by its own button, which is gone.
    if (isTrying) tryButton.current?.focus();
  };
  return { isTrying, tryButton, toggleTry };
}

function useMedia(query: string): boolean {
  const list = useMemo(() => matchMedia(query), [query]);
  return useSyncExternalStore(
    (listener) => {
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => list.matches,
  );
}
