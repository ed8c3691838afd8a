import type { Guarantees } from "chatwire";
import { useChatClient } from "chatwire/react";
import { useCallback, useId, useSyncExternalStore } from "react";
import { type Backend, backends } from "./backends.js";

type Props = { backend: Backend; onChoose: (profile: string) => void };

/** Which of the five backends is spoken to, and what may be promised there. */
export function BackendChoice({ backend, onChoose }: Props) {
  const id = useId();

  return (
    <div className="backend">
      <label htmlFor={id}>Backend</label>
      <select
        id={id}
        data-testid="backend"
        value={backend.profile}
        onChange={(event) => onChoose(event.target.value)}
      >
        {backends.map(({ profile, label }) => (
          <option key={profile} value={profile}>
            {label}
          </option>
        ))}
      </select>
      <Promises />
      {backend.hint && <p className="small muted">{backend.hint}</p>}
    </div>
  );
}

/** `chat.guarantees` in a line; what the backend does not give, behind it. */
function Promises() {
  const guarantees = useGuarantees();
  if (!guarantees) return null;
  const line = lineOf(guarantees);
  if (guarantees.because.length === 0)
    return (
      <p className="small muted" data-testid="guarantees">
        {line}
      </p>
    );
  return (
    <details className="small muted">
      <summary data-testid="guarantees">{line}</summary>
      <ul>
        {guarantees.because.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}

/** As they are told with the connection. Null while there is no client. */
function useGuarantees(): Guarantees | null {
  const client = useChatClient();
  const subscribe = useCallback(
    (listener: () => void) => {
      if (!client) return () => {};
      const stops = [
        client.on("connection", listener),
        client.on("phase", listener),
        client.on("status", listener),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    [client],
  );
  return useSyncExternalStore(subscribe, () => client?.guarantees ?? null);
}

const deliveries = {
  "exactly-once": "Exactly once",
  "once-or-unconfirmed": "Once, or said to be unconfirmed",
  "at-most-once": "At most once",
} as const;

function lineOf({ delivery, order, gaps, receipts }: Guarantees): string {
  const parts = [
    deliveries[delivery],
    order && "in order",
    `gaps ${gaps}`,
    receipts ? "receipts" : "no receipts",
  ];
  return parts.filter(Boolean).join(", ");
}
