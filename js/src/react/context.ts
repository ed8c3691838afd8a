import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import type { ChatClient } from "../client.js";
import type { ChatOptions } from "../types.js";
import { loggedOut, noSession, OwnSession, type Session, sessionOf } from "./session.js";

const SessionContext = createContext<Session>(noSession);

/** A client that there is, or the options of one to be made. */
export type ChatProviderProps = { children?: ReactNode } & (
  | {
      /** A client of the application's own, which it connects and closes itself. */
      client: ChatClient;
      options?: undefined;
    }
  | {
      /** A client is made of these, connected, and closed with the provider; another when one of them changes. */
      options: ChatOptions;
      client?: undefined;
    }
);

/** Gives the hooks below it their client. Another client unmounts nothing of the application. */
export function ChatProvider(props: ChatProviderProps): ReactNode {
  return createElement(SessionProvider, props);
}

/** The same, where neither may be there: nobody is logged in then, and the hooks below have no client, as on a server. */
export function SessionProvider({
  client,
  options,
  children,
}: {
  client?: ChatClient | undefined;
  options?: ChatOptions | undefined;
  children?: ReactNode;
}): ReactNode {
  const own = useOwnSession(client ? undefined : options);
  const session = client ? sessionOf(client) : own;
  return createElement(SessionContext.Provider, { value: session }, children);
}

type Own = { readonly identity: string; options: ChatOptions; readonly session: OwnSession };

function ownOf(identity: string | undefined, options: ChatOptions | undefined): Own | null {
  if (identity === undefined || !options) return null;
  const own: Own = { identity, options, session: new OwnSession(() => own.options) };
  return own;
}

/** The session of a client that is made of these options while the component is mounted. */
function useOwnSession(options: ChatOptions | undefined): Session {
  const identity = options ? identityOf(options) : undefined;
  const [own, setOwn] = useState(() => ownOf(identity, options));
  // React renders this component anew at once, before its children.
  if (own?.identity !== identity) setOwn(ownOf(identity, options));
  // Before the one below, so that a client is made of the options of this render.
  useEffect(() => {
    if (own && options) own.options = options;
  });
  useEffect(() => own?.session.hold(), [own]);
  return own?.session ?? loggedOut;
}

/** What makes it another client. Functions are none of it: a new `getToken` is used by the client there is. */
function identityOf({ getToken, isAuthError: _judge, wasm: _wasm, ...rest }: ChatOptions): string {
  try {
    return JSON.stringify([rest, typeof getToken]);
  } catch {
    // `createChat` refuses these, and says why.
    return "unreadable";
  }
}

export function useSession(): Session {
  return useContext(SessionContext);
}

/** The client itself; null while it is being made, and on a server. */
export function useChatClient(): ChatClient | null {
  const session = useSession();
  return useSyncExternalStore(session.subscribe, session.getSnapshot, session.getSnapshot).client;
}
