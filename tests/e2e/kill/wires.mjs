// What a kill run has to know of a wire: where our backend serves it, who is there, how a conversation begins, how the backend's
// log is read, and what has been promised of a message once `send()` has resolved (WIRES.md, the table of what each backend gives).
import { leftKinds, settledKinds } from "./journal.mjs";
import { violationsOfFates, violationsOfKept } from "./verify.mjs";

/**
 * What may become of a message, by what the backend gives.
 * `isAnswered`: whether sends are. `aims`: how a round can be aimed there. `met`: what must be met at the kills of a long run.
 * `done`: what a message is that waits for nothing more.
 */
const answered = {
  isAnswered: true,
  aims: ["answered", "in flight", "after answer", "saved", "after store", "before store", "random"],
  met: ["unsent", "inFlight", "uncommitted"],
  done: settledKinds,
};
const fates = {
  /** Keys are kept, and each send is answered: stored exactly once, in order, and acknowledged. */
  kept: { ...answered, violations: violationsOfKept },
  /** Answered, and no keys: where the answer is lost, it is stored once at most, and the message says that nobody knows. */
  unconfirmed: {
    ...answered,
    violations: (id, found) => violationsOfFates(id, found, { isAnswered: true }),
  },
  /** Never answered: stored once at most; it has left the page, or says that nobody knows. */
  left: {
    isAnswered: false,
    aims: ["left", "in flight", "saved", "after store", "before store", "random"],
    met: ["unsent", "inFlight"],
    done: leftKinds,
    violations: (id, found) => violationsOfFates(id, found, { isAnswered: false }),
  },
};

/** The official server in this process, with all that is ours: it can neither stand still nor end itself after an answer. */
const official = (fate) => {
  const aims = fate.aims.filter((aim) => aim !== "in flight" && aim !== "after answer");
  return { name: "official", isOfficial: true, url: ({ url }) => url, fate: { ...fate, aims } };
};

const rooms = (round) => Array.from({ length: 4 }, (_, n) => `room ${round}.${n + 1}`);

/** New groups of ana and ben, known to the client. */
async function groups({ server, client }) {
  const { user } = await server.login("ben");
  const ids = [];
  for (let n = 1; n <= 4; n++) {
    ids.push((await client.call("createGroup", { title: `room ${n}`, members: [user.id] })).id);
  }
  return ids;
}

const asLogged = (_, id) => id;

/**
 * By profile:
 * - `variants`: what the rounds play in turn, each with its address, `options` of the client, and the fate of its messages
 * - `name(variant, round)`: who sends; one name is one store
 * - `userId`, `conversations(scene, round)`, `logged(user, id)`: the conversation's name in the backend's log
 * - `idOf(row)`: what a row of the log is called on the wire, where that is not its id
 */
export const wires = {
  team: {
    variants: [{ name: "full", url: (server) => server.url, fate: fates.kept }],
    conversations: groups,
    logged: asLogged,
  },
  phoenix: {
    variants: [
      { name: "full", url: (server) => server.phoenix, fate: fates.kept },
      // There is no plain one at our backend: what the application says of its own overrules the hello (D2).
      {
        name: "no keys",
        url: (server) => server.phoenix,
        options: { capabilities: { keys: false } },
        fate: fates.unconfirmed,
      },
    ],
    conversations: groups,
    logged: asLogged,
  },
  channels: {
    variants: [
      { name: "full", url: (server) => server.channels, fate: fates.kept },
      { name: "plain", url: (server) => server.plain.channels, fate: fates.kept },
      official(fates.kept),
    ],
    conversations: (_, round) => rooms(round),
    logged: asLogged,
    // A message goes by its key there.
    idOf: ({ client_message_id }) => client_message_id,
  },
  companion: {
    variants: [
      { name: "full", url: (server) => server.companion, fate: fates.left },
      { name: "plain", url: (server) => server.plain.companion, fate: fates.left },
      official(fates.left),
    ],
    userId: ({ number }) => String(number),
    conversations: (_, round) => rooms(round),
    logged: ({ number }, id) => `companion:${number}:${id}`,
  },
  assistant: {
    variants: [
      { name: "full", url: (server) => server.assistant, fate: fates.kept },
      { name: "plain", url: (server) => server.plain.assistant, fate: fates.left },
    ],
    // A user has one conversation there, so that each round is somebody's first.
    name: (variant, round) => `ana ${variant} ${round}`,
    conversations: () => ["assistant"],
    logged: ({ id }) => `assistant:${id}`,
  },
};
