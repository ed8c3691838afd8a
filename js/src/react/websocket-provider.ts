import { createElement, type ReactNode, useEffect } from "react";
import type { ChatOptions } from "../types.js";
import { type ChatProviderProps, SessionProvider, useChatClient } from "./context.js";

/** @inline */
type Login = Omit<ChatOptions, "userId" | "token" | "profile"> & {
  /** Null while nobody is logged in: then there is no connection (C1). */
  userId: string | number | null | undefined;
  /** Null while nobody is logged in. Another one is used by the client that there is; in `getToken`'s place. */
  token?: string | null | undefined;
  /** `companion`, unless another one is named. */
  profile?: ChatOptions["profile"] | undefined;
  client?: undefined;
};

/** Who is logged in and where, or a client that there is. */
export type WebSocketProviderProps = { children?: ReactNode } & (
  | Login
  | { client: NonNullable<ChatProviderProps["client"]> }
);

/**
 * Gives the hooks below it their client: connected when `userId` and `token` (or `getToken`) are there, which is at
 * login, and closed when they are not, which is at logout (C1). What is queued waits for the next login of that user.
 */
export function WebSocketProvider(props: WebSocketProviderProps): ReactNode {
  const { children, client } = props;
  // One component at one place: what stands below it is not mounted anew.
  const renewed = client ? null : createElement(Renewed, { token: props.token });
  return createElement(SessionProvider, { client, options: optionsOf(props) }, renewed, children);
}

/** Those of whom has logged in; undefined: nobody has. */
function optionsOf(props: WebSocketProviderProps): ChatOptions | undefined {
  if (props.client) return undefined;
  const { children: _, client: _none, userId, token, getToken, profile, ...rest } = props;
  const ask = token ? () => token : getToken;
  const isLoggedIn = userId !== null && userId !== undefined && userId !== "";
  if (!isLoggedIn || !ask) return undefined;
  return { ...rest, profile: profile ?? "companion", userId: String(userId), getToken: ask };
}

/** A client that has given up because its token was refused tries again with the next one. */
function Renewed({ token }: { token: string | null | undefined }): ReactNode {
  const client = useChatClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another token is what this waits for.
  useEffect(() => {
    if (client?.connection.state === "failed") client.connect().catch(() => {});
  }, [client, token]);
  return null;
}
