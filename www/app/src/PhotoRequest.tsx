import { useWebSocket } from "chatwire/react";
import { useState } from "react";

/** Asks a companion for a photo, which comes as a message. Not queued: only where there is a connection. */
export function PhotoRequest({ conversationId }: { conversationId: string }) {
  const { isConnected, requestPhoto } = useWebSocket();
  const [error, setError] = useState("");

  function ask() {
    setError("");
    requestPhoto(conversationId).catch((error: unknown) =>
      setError(error instanceof Error ? error.message : String(error)),
    );
  }

  return (
    <>
      {error && (
        <p className="error-text small" role="alert">
          {error}
        </p>
      )}
      <button
        type="button"
        className="quiet"
        data-testid="photo-request"
        disabled={!isConnected}
        onClick={ask}
      >
        Ask for a photo
      </button>
    </>
  );
}
