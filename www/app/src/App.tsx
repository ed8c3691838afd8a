import type { ChatOptions } from "chatwire";
import { ChatProvider } from "chatwire/react";
import { useEffect, useMemo, useState } from "react";
import { BackendChoice } from "./BackendChoice.js";
import { backendOf, optionsOf } from "./backends.js";
import { ChatScreen } from "./ChatScreen.js";
import { SideBySide } from "./SideBySide.js";
import { SignIn } from "./SignIn.js";
import {
  fixedName,
  forgetSession,
  rememberBackend,
  rememberedBackend,
  restoreSession,
  type Session,
  signIn,
} from "./session.js";

const sideBySide = new URLSearchParams(location.search).get("side-by-side");

export function App() {
  return sideBySide === null ? <Person /> : <SideBySide names={sideBySide} />;
}

function Person() {
  const [session, setSession] = useState<Session | null>(restoreSession);
  const [isOut, setIsOut] = useState(false);

  useEffect(() => {
    if (!session && fixedName && !isOut) signIn(fixedName).then(setSession, () => setIsOut(true));
  }, [session, isOut]);

  if (session) {
    const signOut = () => {
      forgetSession();
      // Whoever signs in next has conversations of their own.
      openNow("");
      setIsOut(true);
      setSession(null);
    };
    return <SignedIn session={session} onSignOut={signOut} />;
  }
  if (fixedName && !isOut) return <p className="hint">Signing in as {fixedName}…</p>;
  return <SignIn initialName={fixedName ?? ""} onSession={setSession} />;
}

function SignedIn({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  const [backend, setBackend] = useState(() => backendOf(rememberedBackend()));
  const [isChosen, setIsChosen] = useState(false);
  const options = useMemo<ChatOptions>(
    () => ({ ...optionsOf(backend, session.user), getToken: session.getToken }),
    [session, backend],
  );

  function choose(profile: string) {
    const next = backendOf(profile);
    rememberBackend(next.profile);
    // Its conversations are others.
    openNow(next.begins === "never" ? (next.offers[0]?.id ?? "") : "");
    setBackend(next);
    setIsChosen(true);
  }

  const choice = <BackendChoice backend={backend} isChosen={isChosen} onChoose={choose} />;
  return (
    <ChatProvider options={options}>
      <ChatScreen session={session} backend={backend} choice={choice} onSignOut={onSignOut} />
    </ChatProvider>
  );
}

/** For a screen that is about to be drawn; there is no way back from it to the one before. */
function openNow(conversationId: string): void {
  const hash = conversationId === "" ? "" : `#${encodeURIComponent(conversationId)}`;
  history.replaceState(null, "", location.pathname + location.search + hash);
}
