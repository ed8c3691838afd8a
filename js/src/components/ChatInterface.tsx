import { type ReactNode, useState } from "react";
import { useChat, useChatClient, usePresence } from "../react/index.js";
import type { Message } from "../types.js";
import { Avatar } from "./Avatar.js";
import { Composer } from "./Composer.js";
import { ConnectionStatus } from "./ConnectionStatus.js";
import { ConversationList } from "./ConversationList.js";
import { MessageList, type MessageListProps } from "./MessageList.js";
import { useNames, useStrings, useTitles, type Wording, WordingProvider } from "./provider.js";
import { TypingIndicator } from "./TypingIndicator.js";
import { peerOf, useConversation } from "./use-conversation.js";

/** Props of `ChatInterface`; all of them may be left out. */
export type ChatInterfaceProps = Wording &
  Pick<MessageListProps, "actions" | "renderMessage"> & {
    /** This conversation alone; without one the list of them stands beside it. */
    conversationId?: string | undefined;
    /** In place of the conversation's title. */
    header?: ReactNode;
  };

/** A whole chat: the connection, the conversations, and the one that is open. */
export function ChatInterface({ strings, nameOf, titleOf, ...rest }: ChatInterfaceProps): ReactNode {
  const client = useChatClient();
  const { conversationId = client?.profile === "assistant" ? "assistant" : undefined, ...pane } = rest;
  return (
    <WordingProvider strings={strings} nameOf={nameOf} titleOf={titleOf}>
      <section className="chatwire chatwire-interface">
        <ConnectionStatus />
        {conversationId === undefined ? (
          <Choice {...pane} />
        ) : (
          <Pane key={conversationId} conversationId={conversationId} {...pane} />
        )}
      </section>
    </WordingProvider>
  );
}

type PaneProps = Omit<ChatInterfaceProps, keyof Wording | "conversationId">;

function Choice(props: PaneProps): ReactNode {
  const strings = useStrings();
  const [openId, setOpenId] = useState<string | null>(null);
  return (
    <div className="chatwire-columns" data-open={openId !== null}>
      <nav aria-label={strings.conversations}>
        <ConversationList selectedId={openId} onSelect={setOpenId} />
      </nav>
      {openId === null ? (
        <p className="chatwire-pane chatwire-hint">{strings.chooseConversation}</p>
      ) : (
        <Pane key={openId} conversationId={openId} onBack={() => setOpenId(null)} {...props} />
      )}
    </div>
  );
}

type OpenProps = PaneProps & { conversationId: string; onBack?: (() => void) | undefined };
type Target = { replyTo?: Message; editing?: Message };

function Pane({ conversationId, onBack, header, ...list }: OpenProps): ReactNode {
  const strings = useStrings();
  const { error, clearError } = useChat(conversationId);
  const [target, setTarget] = useState<Target>({});
  return (
    <div className="chatwire-pane">
      {header ?? <Head conversationId={conversationId} onBack={onBack} />}
      <MessageList
        {...list}
        conversationId={conversationId}
        onReply={(replyTo) => setTarget({ replyTo })}
        onEdit={(editing) => setTarget({ editing })}
      />
      <TypingIndicator conversationId={conversationId} />
      {error && (
        <p className="chatwire-error" role="alert">
          <span>{error}</span>
          <button type="button" className="chatwire-quiet" onClick={clearError}>
            {strings.dismiss}
          </button>
        </p>
      )}
      <Composer conversationId={conversationId} {...target} onDone={() => setTarget({})} />
    </div>
  );
}

function Head({ conversationId, onBack }: Pick<OpenProps, "conversationId" | "onBack">): ReactNode {
  const strings = useStrings();
  const me = useChatClient()?.userId;
  const conversation = useConversation(conversationId);
  const titleOf = useTitles(me);
  const nameOf = useNames(conversation);
  const { isOnline } = usePresence(peerOf(conversation, me));
  const title = conversation ? titleOf(conversation) : strings.untitled;
  const others = conversation?.kind === "group" ? conversation.members : [];
  const names = others.filter(({ userId }) => userId !== me).map(({ userId }) => nameOf(userId));
  return (
    <header className="chatwire-head">
      {onBack && (
        <button
          type="button"
          className="chatwire-quiet chatwire-back"
          aria-label={strings.backToConversations}
          onClick={onBack}
        >
          ←
        </button>
      )}
      <Avatar name={title} isOnline={isOnline} />
      <div className="chatwire-lines">
        <h2 className="chatwire-cut">{title}</h2>
        {names.length > 0 && <p className="chatwire-cut chatwire-muted">{names.join(", ")}</p>}
      </div>
    </header>
  );
}
