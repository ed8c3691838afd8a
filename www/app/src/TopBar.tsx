import { ConnectionStatus } from "chatwire/components";
import type { Ref } from "react";
import type { Offline } from "./offline.js";

type Props = {
  offline: Offline;
  isTrying: boolean;
  tryButton: Ref<HTMLButtonElement>;
  onTry: () => void;
};

/** How the connection is, the switch that ends it, and the way to what there is to try. */
export function TopBar({ offline, isTrying, tryButton, onTry }: Props) {
  return (
    <header className="bar">
      <h1 className="brand">
        <Mark />
        <span className="brand-name">chatwire</span>
      </h1>
      <ConnectionStatus />
      <button
        type="button"
        className="switch"
        role="switch"
        aria-checked={offline.isOff}
        data-testid="offline-switch"
        onClick={offline.toggle}
        title="Disconnects this client; what you send meanwhile is kept"
      >
        <span className="track" aria-hidden="true" />
        Offline
      </button>
      <button
        ref={tryButton}
        type="button"
        className="button try-button"
        aria-expanded={isTrying}
        data-testid="try-toggle"
        onClick={onTry}
      >
        Try <span className="wide-only">it out</span>
      </button>
    </header>
  );
}

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M6 4h20a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H14l-7 6v-6H6a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4Z" />
      <path className="mark-ticks" d="m8 14.5 4 4 8-8m-2.5 7.5L19 19l6-8" />
    </svg>
  );
}
