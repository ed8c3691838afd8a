/** The page to which a consent comes back. It has told whoever opened it, and closes itself; else there is nobody to tell. */
export function OAuthCallback({ isTold }: { isTold: boolean }) {
  return (
    <main className="sign-in">
      <p className="muted">
        {isTold ? "Done. You can close this window." : "The chat that asked is not open any more."}
      </p>
    </main>
  );
}
