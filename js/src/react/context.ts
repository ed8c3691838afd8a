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

/** Gives the hooks below it their client. */
export function ChatProvider({ client, options, children }: ChatProviderProps): ReactNode {
  if (client) return createElement(SessionContext.Provider, { value: sessionOf(client) }, children);
  return createElement(OwnProvider, { key: identityOf(options), options }, children);
}

/** The hooks below it have no client, as on a server: nobody is logged in. */
export function NoChatProvider({ children }: { children?: ReactNode }): ReactNode {
  return createElement(SessionContext.Provider, { value: loggedOut }, children);
}

function OwnProvider({ options, children }: { options: ChatOptions; children?: ReactNode }): ReactNode {
  const [own] = useState(() => {
    const latest = { options };
    return { latest, session: new OwnSession(() => latest.options) };
  });
  // Before the one below, so that a client is made of the options of this render.
  useEffect(() => {
    own.latest.options = options;
  });
  useEffect(() => own.session.hold(), [own]);
  return createElement(SessionContext.Provider, { value: own.session }, children);
}

/** What makes it another client. Functions are none of it: a new `getToken` is used by the client there is. */
function identityOf({ getToken, wasm: _wasm, ...rest }: ChatOptions): string {
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
