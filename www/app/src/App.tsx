import type { ChatOptions } from "chatwire";
import { ChatProvider } from "chatwire/react";
import { useEffect, useMemo, useState } from "react";
import { BackendChoice } from "./BackendChoice.js";
import { backendOf, optionsOf } from "./backends.js";
import { ChatScreen } from "./ChatScreen.js";
import { openNow } from "./open.js";
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
  const [isArriving, setIsArriving] = useState(false);

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
    return <SignedIn {...{ session, isArriving }} onSignOut={signOut} />;
  }
  if (fixedName && !isOut) return <p className="hint">Signing in as {fixedName}…</p>;
  const arrive = (session: Session) => {
    setIsArriving(true);
    setSession(session);
  };
  return <SignIn initialName={fixedName ?? ""} onSession={arrive} />;
}

type SignedInProps = { session: Session; isArriving: boolean; onSignOut: () => void };

function SignedIn({ session, isArriving, onSignOut }: SignedInProps) {
  const [backend, setBackend] = useState(() => backendOf(rememberedBackend()));
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
  }

  const choice = <BackendChoice backend={backend} onChoose={choose} />;
  return (
    <ChatProvider options={options}>
      <ChatScreen {...{ session, backend, isArriving, choice, onSignOut }} onBackend={choose} />
    </ChatProvider>
  );
}
