import type { ReactNode } from "react";
import type { Status } from "../types.js";
import { useStrings } from "./provider.js";

const one = "m5 8.5 2.8 2.8L13 5.5";
const two = "m1.5 8.5 2.8 2.8L9.5 5.5M8 11l.3.3L14 5.5";

/** How far an own message is: ◌ being stored, ✓ in a ring stored here, a dotted ✓ sent, ✓ at the server, ✓✓ delivered, coloured read, ! failed. */
export function Ticks({ status }: { status: Status }): ReactNode {
  const told = useStrings().status[status];
  return (
    <span className="chatwire-ticks" data-status={status} title={told}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {status === "saving" && <circle cx="8" cy="8" r="5.5" strokeDasharray="2 2.3" />}
        {status === "saved" && (
          <>
            <circle cx="8" cy="8" r="6.5" strokeWidth="1" />
            <path d="m5.3 8.3 1.9 1.9 3.6-4" strokeWidth="1.2" />
          </>
        )}
        {status === "sent" && <path d={one} strokeDasharray="0.1 2.5" />}
        {status === "acknowledged" && <path d={one} />}
        {(status === "delivered" || status === "read") && <path d={two} />}
        {status === "failed" && <path d="M8 3.5v5.5m0 3v.1" strokeWidth="2" />}
      </svg>
      <span className="chatwire-unseen">{told}</span>
    </span>
  );
}
