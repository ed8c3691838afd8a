import { type ReactNode, useEffect, useReducer, useState } from "react";
import { useChatClient, useConnection, useConversations } from "../react/index.js";
import type { ChatEvents, Message } from "../types.js";

/** Props of `ChatDebugPanel`. */
export type ChatDebugPanelProps = {
  /** Where faults are ordered: `…/test/faults` of the reference backend. Without it there are none to choose. */
  faultsUrl?: string | undefined;
};

type Told = { number: number; at: string; event: string };

const maxEvents = 100;
const names = [
  ...["message", "messageUpdated", "messageDeleted", "status", "typing", "presence", "reaction"],
  ...["conversation", "conversationRemoved", "connection", "phase", "error", "authError", "protocolError"],
  ...["storageDegraded", "gap", "oauthRequired", "leader"],
] as (keyof ChatEvents)[];

const faults = {
  "Lose the next answer": { fault: "lose_ack" },
  "Fail the next send": { fault: "fail_send" },
  "Refuse the next token": { fault: "refuse_token" },
  "Cut all sockets": { fault: "drop_sockets" },
};

/** For developers, and in English: connection, queue, cursors and events of the client, without texts or tokens. */
export function ChatDebugPanel({ faultsUrl }: ChatDebugPanelProps): ReactNode {
  const client = useChatClient();
  const { connect, disconnect, isConnected, ...connection } = useConnection();
  const { conversations } = useConversations();
  const { events, outbox } = useTold();
  const [refused, setRefused] = useState("");
  if (!client) return null;

  async function order(fault: object): Promise<void> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(fault);
    const answer = await fetch(faultsUrl ?? "", { method: "POST", headers, body }).catch(() => null);
    setRefused(answer?.ok ? "" : `The server refused: ${answer?.status ?? "no answer"}`);
  }

  return (
    <aside className="chatwire chatwire-debug" aria-label="Debug panel">
      <p>
        {isConnected ? (
          <button type="button" onClick={disconnect}>
            Disconnect
          </button>
        ) : (
          <button type="button" onClick={() => connect().catch(() => {})}>
            Connect
          </button>
        )}
        {faultsUrl &&
          Object.entries(faults).map(([name, fault]) => (
            <button key={name} type="button" onClick={() => order(fault)}>
              {name}
            </button>
          ))}
      </p>
      <p role="status">{refused}</p>
      <Part title="Connection" value={connection} />
      <Part title="Guarantees" value={client.guarantees} />
      <Part title="Diagnostics" value={connection.state === "closed" ? null : client.diagnostics()} />
      <Part
        title={`Outbox (${outbox.length})`}
        value={outbox.map(({ key, status, failure, change }) => ({
          key,
          status,
          failure: failure?.code,
          change: change?.kind,
        }))}
      />
      <Part
        title="Cursors"
        value={conversations.map(({ id, phase, cursor, unread }) => ({ id, phase, cursor, unread }))}
      />
      <details open>
        <summary>Events</summary>
        <ol>
          {events.map(({ number, at, event }) => (
            <li key={number}>
              <time>{at}</time> {event}
            </li>
          ))}
        </ol>
      </details>
    </aside>
  );
}

function Part({ title, value }: { title: string; value: object | null }): ReactNode {
  return (
    <details>
      <summary>{title}</summary>
      <pre>{JSON.stringify(value, null, 1)}</pre>
    </details>
  );
}

/** The last events, the newest first, and what was queued then. */
function useTold() {
  const client = useChatClient();
  const [events, tell] = useReducer(
    (told: readonly Told[], event: string) =>
      [
        { number: (told[0]?.number ?? 0) + 1, at: new Date().toISOString().slice(11, 23), event },
        ...told,
      ].slice(0, maxEvents),
    [],
  );
  const [outbox, setOutbox] = useState<readonly Message[]>([]);
  useEffect(() => {
    if (!client) return;
    const look = () => client.outbox().then(setOutbox, () => setOutbox([]));
    look();
    const stops = names.map((name) =>
      client.on(name, () => {
        tell(name);
        if (name === "status" || name === "connection") look();
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }, [client]);
  return { events, outbox };
}
