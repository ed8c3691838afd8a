// A `team` backend (WIRES.md T, D1 to D6) on the official Socket.IO server, in memory, for tests.
//
//   node team.mjs [--port 0] [--plain] [--prefix /team]
//
// Any token `user:NAME` is that user; `expired`, `bad` and the rest are refused. `plain` is the original backend: what
// WIRES.md marks **ours** (hello, keys, seq, `after`, D4 events) is absent.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { Faults } from "../../js/src/testing/team/faults.js";
import { Hub } from "../../js/src/testing/team/hub.js";
import { roomOf } from "../../js/src/testing/team/sockets.js";
import { TeamState } from "../../js/src/testing/team/state.js";
import { serveRest } from "./team/rest.mjs";
import { cut, serveSockets } from "./team/sockets.mjs";

/**
 * @param options.port 0 is any free port
 * @param options.plain without everything that is **ours**
 * @param options.prefix path before `/socket.io` and `/api` (D1)
 * @param options.duplicates answer to a known key: "answer" (the first one again) or "conflict" (D3)
 * @param options.maxPayload bytes of a frame or a body
 * @param options.pingInterval, pingTimeout Engine.IO's heartbeat, milliseconds (E2)
 * @param options.namespace where it is served (E4)
 * @param options.recovery the official server's connection state recovery (E11), for two minutes
 * @returns `{url, faults, log(conversationId), state, restart(), close()}`
 */
export async function startTeamServer({
  port = 0,
  plain = false,
  prefix = "",
  duplicates = "answer",
  maxPayload = 100_000,
  pingInterval = 25_000,
  pingTimeout = 20_000,
  namespace = "/",
  recovery = false,
} = {}) {
  const state = new TeamState({ plain, duplicates });
  let running;
  const faults = new Faults((userId) => dropSockets(running.io, userId));
  const tell = (userId, event, payload) => running.io.of(namespace).to(roomOf(userId)).emit(event, payload);
  const hub = new Hub(state, faults, tell);
  const log = (conversationId) => state.log(conversationId);

  const open = async (onPort) => {
    const rest = serveRest(hub, { prefix, maxPayload, control: { faults, log } });
    const http = createServer(rest);
    const io = new Server(http, {
      path: `${prefix}/socket.io`,
      cors: { origin: "*" },
      maxHttpBufferSize: maxPayload,
      pingInterval,
      pingTimeout,
      serveClient: false,
      ...(recovery && { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } }),
    });
    serveSockets(io.of(namespace), hub, { plain, maxPayload });
    await new Promise((resolve, reject) => {
      http.once("error", reject).listen(onPort, "127.0.0.1", resolve);
    });
    running = { http, io };
    return http.address().port;
  };
  const close = async () => {
    dropSockets(running.io);
    running.http.closeAllConnections();
    await running.io.close();
  };

  const bound = await open(port);
  return {
    url: `http://127.0.0.1:${bound}${prefix}`,
    state,
    faults,
    log,
    close,
    /** Another namespace of the same server. */
    of: (name) => running.io.of(name),
    /** An event to everyone in the namespace; kept for those who are away, where there is recovery. */
    emit: (event, ...args) => running.io.of(namespace).emit(event, ...args),
    /** Ends every connection without a word, and listens again on the same port with the same state. */
    async restart() {
      await close();
      await open(bound);
    },
  };
}

function dropSockets(io, userId) {
  const sockets = [...io.sockets.sockets.values()].filter((s) => !userId || s.data.userId === userId);
  for (const socket of sockets) cut(socket);
  return sockets.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      prefix: { type: "string", default: "" },
      plain: { type: "boolean", default: false },
    },
  });
  const server = await startTeamServer({ ...values, port: Number(values.port) });
  console.log(`team server listening on ${server.url}`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
}
