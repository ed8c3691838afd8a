import type { Conversation, Message } from "chatwire";
import {
  Composer,
  MessageBubble,
  type MessageBubbleProps,
  MessageList,
  TypingIndicator,
  WordingProvider,
} from "chatwire/components";
import { useChat, useConversations, usePresence } from "chatwire/react";
import { type KeyboardEvent, useState } from "react";
import { type Backend, titleOf } from "./backends.js";
import { detailsOf } from "./details.js";
import { MessageDetails } from "./MessageDetails.js";
import { useNames } from "./names.js";
import { PhotoRequest } from "./PhotoRequest.js";
import type { Session } from "./session.js";

type Props = { conversationId: string; session: Session; backend: Backend; onBack: () => void };
type Target = { replyTo?: Message; editing?: Message };

/** The conversation that is open: the parts of `chatwire/components`, below a head of this application's own. */
export function ConversationPane(props: Props) {
  const { conversationId, session, backend, onBack } = props;
  const { messages, error, errorDetail, clearError } = useChat(conversationId);
  const nameOf = useNames(session, backend, messages);
  const [target, setTarget] = useState<Target>({});
  const isUnknown = errorDetail?.code === "notFound";
  const isAimed = target.replyTo !== undefined || target.editing !== undefined;

  function onKeyDown({ key, target: field }: KeyboardEvent) {
    // With an answer or an edit begun, Escape gives that up: the composer does so itself.
    if (key === "Escape" && !isAimed && field instanceof HTMLTextAreaElement) onBack();
  }

  return (
    <WordingProvider nameOf={nameOf}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape is heard from the field in it. */}
      <div className="pane" onKeyDown={onKeyDown}>
        <Head {...props} isUnknown={isUnknown} />
        <MessageList
          conversationId={conversationId}
          actions={backend.actions}
          renderMessage={renderMessage}
          onReply={(replyTo) => setTarget({ replyTo })}
          onEdit={(editing) => setTarget({ editing })}
        />
        <TypingIndicator conversationId={conversationId} />
        {error && (
          <p className="error-line" role="alert">
            <span>{isUnknown ? "There is no such conversation." : error}</span>
            <button type="button" className="quiet" onClick={clearError}>
              Dismiss
            </button>
          </p>
        )}
        <Composer conversationId={conversationId} {...target} onDone={() => setTarget({})} />
      </div>
    </WordingProvider>
  );
}

/** A message of a backend's own brings more than its text. */
function renderMessage(props: MessageBubbleProps) {
  const details = props.message.deletedAt ? null : detailsOf(props.message);
  return <MessageBubble {...props}>{details && <MessageDetails details={details} />}</MessageBubble>;
}

function Head({ conversationId, session, backend, onBack, isUnknown }: Props & { isUnknown: boolean }) {
  const { conversations } = useConversations();
  const conversation = conversations.find(({ id }) => id === conversationId);
  const title =
    isUnknown && !conversation ? undefined : titleOf(backend, conversationId, conversation?.title);
  const others = conversation?.members.filter(({ userId }) => userId !== session.user.id) ?? [];
  const peer = conversation?.kind === "direct" ? others[0]?.userId : undefined;
  const { isOnline } = usePresence(peer);
  const { isConnected } = useChat(conversationId);
  return (
    <header className="pane-head">
      <button type="button" className="back quiet" onClick={onBack} aria-label="Back to the conversations">
        <span aria-hidden="true">←</span>
      </button>
      <div className="titles">
        <h2 className="cut" tabIndex={-1}>
          {title ?? "Conversation"}
        </h2>
        {peer && isConnected && isOnline && <p className="muted small online">online</p>}
        {conversation?.kind === "group" && <Members conversation={conversation} others={others} />}
      </div>
      {backend.sendsPhotos && <PhotoRequest conversationId={conversationId} />}
    </header>
  );
}

type MembersProps = { conversation: Conversation; others: Conversation["members"] };

function Members({ conversation: { members }, others }: MembersProps) {
  // Not told by every backend.
  if (members.length === 0) return null;
  const names = others.map(({ name }) => name).join(", ");
  return <p className="muted small cut">{names || "only you"}</p>;
}
