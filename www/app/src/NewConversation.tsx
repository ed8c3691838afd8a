import type { Conversation } from "chatwire";
import { useConversations } from "chatwire/react";
import { type FormEvent, useId, useState } from "react";
import type { Found, Session } from "./session.js";

type Props = { session: Session; onOpen: (id: string) => void };

/** Two small forms: a chat with somebody by name, and a group. */
export function NewConversation({ session, onOpen }: Props) {
  const { createDirect, createGroup } = useConversations();
  const [isGroup, setIsGroup] = useState(false);
  const { error, isBusy, run } = useSubmit(onOpen);
  const people = useSuggestions(session);
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");

  function submitChat(event: FormEvent) {
    event.preventDefault();
    run(async () => {
      const user = await userNamed(session, name);
      const conversation = await createDirect(user.id);
      setName("");
      return conversation;
    });
  }

  function submitGroup(event: FormEvent) {
    event.preventDefault();
    run(async () => {
      const names = name.split(",").filter((part) => part.trim() !== "" && !isOwnName(session, part));
      if (names.length === 0) throw new Error("A group needs somebody besides you.");
      const members = await Promise.all(names.map((name) => userNamed(session, name)));
      const conversation = await createGroup({ title: title.trim(), members: members.map(({ id }) => id) });
      setName("");
      setTitle("");
      setIsGroup(false);
      return conversation;
    });
  }

  return (
    <form className="new" onSubmit={isGroup ? submitGroup : submitChat}>
      {isGroup && (
        <label>
          <span className="unseen">Title of the group</span>
          <input
            data-testid="new-group-title"
            placeholder="Title of the group"
            value={title}
            onChange={(event) => setTitle(event.target.value)}
            required
          />
        </label>
      )}
      <div className="row">
        <label className="grow">
          <span className="unseen">{isGroup ? "Names of the members, with commas between" : "Name"}</span>
          <input
            data-testid={isGroup ? "new-group-members" : "new-chat-name"}
            placeholder={isGroup ? "Names: Ben, Cleo" : "Somebody's name"}
            value={name}
            list={isGroup ? undefined : people.id}
            onFocus={() => people.search(name)}
            onChange={(event) => {
              setName(event.target.value);
              people.search(event.target.value);
            }}
            required
          />
        </label>
        <datalist id={people.id}>
          {people.found.map((user) => (
            <option key={user.id} value={user.name} />
          ))}
        </datalist>
        <button
          type="submit"
          className="primary"
          data-testid={isGroup ? "new-group-submit" : "new-chat-submit"}
          disabled={isBusy}
        >
          {isGroup ? "Create" : "Chat"}
        </button>
      </div>
      <button
        type="button"
        className="quiet small"
        data-testid="new-group-toggle"
        onClick={() => setIsGroup(!isGroup)}
      >
        {isGroup ? "A chat with one person instead" : "New group"}
      </button>
      {error && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}

function useSubmit(onOpen: (id: string) => void) {
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  async function run(create: () => Promise<Conversation>): Promise<void> {
    setIsBusy(true);
    setError(null);
    try {
      onOpen((await create()).id);
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
    } finally {
      setIsBusy(false);
    }
  }
  return { error, isBusy, run };
}

function useSuggestions(session: Session) {
  const id = useId();
  const [found, setFound] = useState<Found[]>([]);
  // Suggestions are a help only: without a network there are none.
  const search = (query: string) => void session.findUsers(query.trim()).then(setFound, () => setFound([]));
  return { id, found, search };
}

function isOwnName({ user }: Session, name: string): boolean {
  return name.trim().toLowerCase() === user.name.toLowerCase();
}

async function userNamed(session: Session, name: string): Promise<Found> {
  const wanted = name.trim();
  if (isOwnName(session, wanted)) throw new Error("That is you. A chat needs somebody else.");
  const same = (user: Found) => user.name.toLowerCase() === wanted.toLowerCase();
  const user = (await session.findUsers(wanted)).find(same);
  if (!user) throw new Error(`Nobody named ${wanted} has signed in here yet.`);
  return user;
}
