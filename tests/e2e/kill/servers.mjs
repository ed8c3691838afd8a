// What a kill run does to a server and asks of it, the same of both: our backend as a process of its own, and the official
// Socket.IO server in this one, which cannot be killed: its connections are cut without a word, and it is away for a while.
import { startChannelsServer } from "@chatwire/test-servers/channels";
import { startCompanionServer } from "@chatwire/test-servers/companion";
import { startReference } from "@chatwire/test-servers/reference";

const args = ["--rate-per-s", "5000", "--rate-burst", "5000", "--script-delay-ms", "1"];
const crashes = {
  "after answer": "crash_after_ack",
  "after store": "crash_after_store",
  "before store": "crash_before_store",
};

/**
 * @param wire one of wires.mjs.
 * @returns the reference backend with `user(name)`; `loginOf(user)`: what `swift` takes; `rows(user, id)`: what that
 * user has in a conversation, in the server's order; `crash(aim, skip)`: it ends itself, `skip` sends from now.
 */
export async function startOurs({ logged, idOf = ({ id }) => id, userId = ({ id }) => id }) {
  const server = await startReference(args);
  return {
    ...server,
    user: async (name) => (await server.login(name)).user,
    loginOf: (user) => ({ origin: server.origin, name: user.name, id: userId(user) }),
    rows: async (user, id) => {
      const rows = await server.log(logged(user, id));
      return rows.filter((row) => row.sender_id === user.id).map((row) => ({ ...row, id: idOf(row) }));
    },
    async crash(aim, skip) {
      await server.fault({ fault: crashes[aim], skip });
      await server.ended();
    },
  };
}

const officials = {
  channels: {
    start: startChannelsServer,
    me: "ana",
    rows: (server, id) =>
      server.log(id).map((row) => ({ id: row.id, client_message_id: row.id, text: row.content })),
  },
  companion: {
    start: startCompanionServer,
    me: "7",
    rows: (server, id) =>
      server
        .log("7", id)
        .map((row) => ({ id: String(row.id), client_message_id: row.content, text: row.content })),
  },
};

/** With what it can of `startOurs`. Where it is to crash it cuts the connection of a send, which it has stored or has not. */
export async function startOfficial(profile) {
  const { start, me, rows } = officials[profile];
  const server = await start();
  let isAway = false;
  return {
    url: server.url,
    user: async (name) => ({ id: me, name }),
    loginOf: ({ id }) => ({ id, prefix: `user:${id}` }),
    rows: async (_, id) => rows(server, id),
    crash: (aim) => server.faults[aim === "after store" ? "dropAfterStore" : "dropBeforeStore"](1),
    async kill() {
      isAway = true;
      await server.close();
    },
    async start() {
      if (isAway) await server.open();
      isAway = false;
    },
    async close() {
      if (!isAway) await server.close();
    },
  };
}
