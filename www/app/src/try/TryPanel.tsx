import { ChatDebugPanel } from "chatwire/components";
import { useConversations } from "chatwire/react";
import { type ReactNode, useEffect, useRef } from "react";
import { type Backend, nextBackend } from "../backends.js";
import { useCompany } from "../meet.js";
import type { Offline } from "../offline.js";
import type { Session } from "../session.js";
import { useHolder, useTabs, useWaiting } from "./facts.js";
import { reload, useNotes } from "./notes.js";

type Props = {
  session: Session;
  backend: Backend;
  offline: Offline;
  onBackend: (profile: string) => void;
  onClose: () => void;
};

/** `?faults`: the server was built with them, and the debug panel may order them. */
const faultsUrl = new URLSearchParams(location.search).has("faults") ? "/test/faults" : undefined;

/** What chatwire does, to be tried out: each step with what came of it. */
export function TryPanel({ session, backend, offline, onBackend, onClose }: Props) {
  const waiting = useWaiting();
  const tabs = useTabs(session.user.id);
  const holder = useHolder();
  const notes = useNotes({ waiting, tabs, holder, backend: backend.label });
  const company = useCompany(session, backend);
  const { conversations } = useConversations();
  const next = nextBackend(backend);
  const heading = useFocusWhereNothingHasIt();

  return (
    <section className="try" aria-labelledby="try-title" data-testid="try">
      <header className="try-head">
        <h2 id="try-title" ref={heading} tabIndex={-1}>
          Try to lose a message
        </h2>
        <button type="button" className="quiet" onClick={onClose} aria-label="Close: things to try">
          <span aria-hidden="true">✕</span>
        </button>
      </header>
      <p className="muted">What you send is stored here first, then sent: once, in order.</p>
      <dl className="facts">
        <Fact name="queued" value={waiting ?? "…"} id="waiting" />
        <Fact name={tabs === 1 ? "tab" : "tabs"} value={tabs} id="tabs" />
        <Fact name="has the socket" value={holder} id="holder" />
      </dl>
      <ol className="steps">
        <Step
          title="Two people"
          action={<Action label={company.label} run={company.meet} />}
          isDone={conversations.length > 0}
          note={company.error}
        />
        <Step
          title="Send while offline"
          action={
            <Action
              label={offline.isOff ? "Go online" : "Go offline"}
              run={offline.toggle}
              id="try-offline"
            />
          }
          note={notes.offline}
        >
          What you send is queued, and goes out when you are back.
        </Step>
        <Step
          title="Reload the page"
          action={<Action label="Reload" run={() => reload(waiting ?? 0)} id="try-reload" />}
          note={notes.reload}
        >
          Or kill the browser: the queue is on the disk, and goes on.
        </Step>
        <Step
          title="Open a second tab"
          action={<Action label="Open" run={() => window.open(location.href, "_blank")} id="try-tab" />}
          note={notes.tab}
        >
          Both send by one socket. Close the one that has it: the other takes over.
        </Step>
        <Step title="Restart the server" note={notes.server}>
          Ctrl-C at <code>npm start</code>; send, and even reload; start it again.
        </Step>
        <Step
          title="Another backend"
          action={
            <Action
              label={next.label.replace(/ \(.*/, "")}
              run={() => onBackend(next.profile)}
              id="try-backend"
            />
          }
          note={notes.backend}
        >
          Five wires, one client. What may be promised stands beside the choice.
        </Step>
      </ol>
      <details className="hood">
        <summary>Under the hood</summary>
        <ChatDebugPanel faultsUrl={faultsUrl} />
      </details>
    </section>
  );
}

function Fact({ name, value, id }: { name: string; value: string | number; id: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={`fact-${id}`}>{value}</dd>
    </div>
  );
}

type StepProps = {
  title: string;
  action?: ReactNode;
  note?: string | null | undefined;
  isDone?: boolean;
  children?: ReactNode;
};

function Step({ title, action, note, isDone = Boolean(note), children }: StepProps) {
  return (
    <li className="step" data-done={isDone}>
      <h3>
        {title}
        {isDone && <span className="unseen"> (done)</span>}
      </h3>
      {action}
      {children && <p>{children}</p>}
      <p className="note" role="status">
        {note}
      </p>
    </li>
  );
}

function Action({ label, run, id }: { label: string; run: () => void; id?: string }) {
  return (
    <button type="button" className="button" data-testid={id} onClick={run}>
      {label}
    </button>
  );
}

/** Whoever opens the panel goes on in it; one that is open from the start takes the focus from nobody. */
function useFocusWhereNothingHasIt() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement?.getAttribute("aria-expanded") === "true") heading.current?.focus();
  }, []);
  return heading;
}
