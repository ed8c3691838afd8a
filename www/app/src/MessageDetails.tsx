import { handleOAuthRequest } from "chatwire";
import { useState } from "react";
import type { Details } from "./details.js";

/** What a backend's own message brings beside its text. */
export function MessageDetails({ details }: { details: Details }) {
  const { confidence, sources, actions, authUrl } = details;
  return (
    <div className="details small" data-testid="message-details">
      {sources.length > 0 && (
        <p>
          Sources:{" "}
          {sources.map(({ title, href }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the sources of one message keep their places.
            <span key={index}>
              {index > 0 && ", "}
              {href === null ? (
                title
              ) : (
                <a href={href} target="_blank" rel="noopener noreferrer nofollow">
                  {title}
                </a>
              )}
            </span>
          ))}
        </p>
      )}
      {actions.length > 0 && <p>It offers: {actions.join(", ")}</p>}
      {confidence !== null && <p className="muted">Confidence: {Math.round(confidence * 100)} %</p>}
      {authUrl !== null && <Consent authUrl={authUrl} />}
    </div>
  );
}

/** Asks in a window of its own, and says how it ended. */
function Consent({ authUrl }: { authUrl: string }) {
  const [isAsking, setIsAsking] = useState(false);
  const [isAnswered, setIsAnswered] = useState(false);
  const [told, setTold] = useState("");

  // In the task of the click: browsers block other popups.
  async function ask() {
    setIsAsking(true);
    setTold("Waiting for your answer in the other window…");
    try {
      setTold((await handleOAuthRequest(authUrl)) ? "You have agreed." : "You have refused.");
      setIsAnswered(true);
    } catch (error) {
      setTold(`No answer: ${error instanceof Error ? error.message : String(error)}`);
    }
    setIsAsking(false);
  }

  return (
    <>
      {!isAnswered && (
        <button type="button" className="primary" data-testid="consent" disabled={isAsking} onClick={ask}>
          Answer in a new window
        </button>
      )}
      <p role="status" data-testid="consent-result">
        {told}
      </p>
    </>
  );
}
