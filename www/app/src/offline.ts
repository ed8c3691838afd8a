import { type Connection, useChatClient, useConnection } from "chatwire/react";
import { useLayoutEffect, useState } from "react";
import { isSwitchedOff, rememberSwitch } from "./session.js";

export type Offline = { isOff: boolean; toggle: () => void };

/** The switch that disconnects this client, which takes messages all the same. */
export function useOfflineSwitch(): Offline {
  const connection = useConnection();
  const [isOff, setIsOff] = useState(isSwitchedOff);
  useStayingOff(isOff);

  function toggle() {
    rememberSwitch(!isOff);
    setIsOff(!isOff);
    if (isOff) reconnect(connection);
    else connection.disconnect();
  }
  return { isOff, toggle };
}

/** A client connects by itself, also after a reload with the switch on: ended before its socket is open. */
function useStayingOff(isOff: boolean): void {
  const client = useChatClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the switch does later, `toggle` does.
  useLayoutEffect(() => {
    if (isOff) client?.disconnect();
  }, [client]);
}

function reconnect(connection: Connection): void {
  // Where this ends is what the bar shows.
  connection.connect().catch(() => {});
}
