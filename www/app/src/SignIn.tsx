import { type FormEvent, useState } from "react";
import { type Session, signIn } from "./session.js";
import { Mark } from "./TopBar.js";

type Props = { initialName: string; onSession: (session: Session) => void };

export function SignIn({ initialName, onSession }: Props) {
  const [name, setName] = useState(initialName);
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      onSession(await signIn(name.trim()));
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
      setIsBusy(false);
    }
  }

  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <Mark />
        <h1>chatwire</h1>
        <p className="tagline">Messages that are not lost: kept on your device, sent once, in order.</p>
        <label className="field">
          Your name
          <input
            data-testid="login-name"
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoComplete="username"
            maxLength={64}
            required
          />
        </label>
        {error && (
          <p className="error-text" role="alert">
            {error}
          </p>
        )}
        <button
          type="submit"
          data-testid="login-submit"
          className="primary"
          disabled={isBusy || name.trim() === ""}
        >
          Sign in
        </button>
        <p className="muted small">No password: this is a demo, and any name is an account.</p>
        <hr />
        <a className="button" href="/?side-by-side">
          Two people side by side
        </a>
      </form>
    </main>
  );
}
