import type { ChatOptions } from "chatwire";
import { ChatProvider } from "chatwire/react";
import { useEffect, useMemo, useState } from "react";
import { ChatScreen } from "./ChatScreen.js";
import { SideBySide } from "./SideBySide.js";
import { SignIn } from "./SignIn.js";
import { fixedName, forgetSession, restoreSession, type Session, signIn } from "./session.js";

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
      history.replaceState(null, "", location.pathname + location.search);
      setIsOut(true);
      setSession(null);
    };
    return <SignedIn session={session} onSignOut={signOut} />;
  }
  if (fixedName && !isOut) return <p className="hint">Signing in as {fixedName}…</p>;
  return <SignIn initialName={fixedName ?? ""} onSession={setSession} />;
}

function SignedIn({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  const options = useMemo<ChatOptions>(
    () => ({
      url: `${location.origin}/team`,
      profile: "team",
      userId: session.user.id,
      getToken: session.getToken,
    }),
    [session],
  );
  return (
    <ChatProvider options={options}>
      <ChatScreen session={session} onSignOut={onSignOut} />
    </ChatProvider>
  );
}
