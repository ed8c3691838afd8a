// What the small backends in memory share: the official Socket.IO server, whom it lets in, what it has heard, and restarts.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { TeamError } from "../../../js/src/testing/team/errors.js";
import { Faults } from "../../../js/src/testing/team/faults.js";
import { roomOf } from "../../../js/src/testing/team/sockets.js";
import { cut } from "../team/sockets.mjs";

/**
 * @param options `{port, prefix, maxPayload, pingInterval, pingTimeout}`, as with `team`
 * @param wire.admit `(auth, faults)` gives the user's id; what it throws is CONNECT_ERROR
 * @param wire.hello capabilities that are declared (D2); null: nothing is
 * @param wire.events `{[event]: (call) => …}`, `call` being `{userId, payload, reply(answer), cut()}`; what they throw is refused
 * @param wire.refuse `(reply, error)` answers what was refused, where an answer is asked for
 */
export async function serveWire(options, wire) {
  const {
    port = 0,
    prefix = "",
    maxPayload = 100_000,
    pingInterval = 25_000,
    pingTimeout = 20_000,
  } = options;
  const seen = { auths: [], heard: [], refused: [] };
  let running;
  const faults = new Faults((userId) => dropSockets(running.io, userId));

  const open = async (onPort) => {
    const http = createServer((_, response) => response.writeHead(404).end());
    const io = new Server(http, {
      path: `${prefix}/socket.io`,
      cors: { origin: "*" },
      maxHttpBufferSize: maxPayload,
      pingInterval,
      pingTimeout,
      serveClient: false,
    });
    io.use((socket, next) => admit(socket, next, { wire, faults, seen }));
    io.on("connection", (socket) => serve(socket, { wire, seen, maxPayload }));
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
    faults,
    /** What CONNECT has brought, event by event what was taken in, and what was refused and why. */
    auths: () => seen.auths,
    heard: (event) => seen.heard.filter((one) => one.event === event).map(({ payload }) => payload),
    refused: () => seen.refused,
    /** An event to the sockets of one user, or to all. */
    emit: (userId, event, ...args) =>
      (userId === null ? running.io : running.io.to(roomOf(userId))).emit(event, ...args),
    /** To the sockets of everybody but one user. */
    emitBeside: (userId, event, ...args) => running.io.except(roomOf(userId)).emit(event, ...args),
    close,
    /** Listens again on the same port, with the same state. */
    open: () => open(bound),
    async restart() {
      await close();
      await open(bound);
    },
  };
}

function admit(socket, next, { wire, faults, seen }) {
  try {
    const { auth } = socket.handshake;
    seen.auths.push(auth);
    const refusal = faults.takeConnectRefusal();
    if (refusal) throw refusal;
    socket.data.userId = wire.admit(auth, faults);
    next();
  } catch (error) {
    next(Object.assign(new Error(error.message), { data: { code: error.code ?? "ServerError" } }));
  }
}

function serve(socket, { wire, seen, maxPayload }) {
  const { userId } = socket.data;
  socket.join(roomOf(userId));
  if (wire.hello) socket.emit("chatwire:hello", { capabilities: { ...wire.hello, maxPayload } });
  const end = () => {
    socket.data.isCut = true;
    cut(socket);
  };
  for (const [event, handle] of Object.entries(wire.events)) {
    socket.on(event, (payload, ack) => {
      // What came in one piece with the frame at which it was cut is lost with it.
      if (socket.data.isCut) return;
      const reply = typeof ack === "function" ? ack : () => {};
      try {
        handle({ userId, payload, reply, cut: end });
        seen.heard.push({ event, payload });
      } catch (error) {
        if (!(error instanceof TeamError)) throw error;
        seen.refused.push({ event, payload, why: error.message });
        wire.refuse(reply, error);
      }
    });
  }
  socket.onAny((event, payload) => {
    if (!(event in wire.events)) seen.refused.push({ event, payload, why: "no such event" });
  });
}

function dropSockets(io, userId) {
  const sockets = [...io.sockets.sockets.values()].filter((s) => !userId || s.data.userId === userId);
  for (const socket of sockets) cut(socket);
  return sockets.length;
}

/** `node NAME.mjs [--port 0] [--plain] [--prefix /PATH]` */
export async function runByHand(name, start) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      prefix: { type: "string", default: "" },
      plain: { type: "boolean", default: false },
    },
  });
  const server = await start({ ...values, port: Number(values.port) });
  console.log(`${name} server listening on ${server.url}`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
}
