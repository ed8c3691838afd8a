// The Socket.IO half on the official server.
import { serveSockets as serveTeam } from "../../../js/src/testing/team/sockets.js";

/** @param io the namespace */
export function serveSockets(io, hub, options) {
  serveTeam(io, hub, { ...options, cut });
  io.on("connection", (socket) => {
    // What tests of the wire itself need: it comes back as an event and as the answer; it is asked of the client.
    socket.on("test:echo", (payload, ack) => {
      socket.emit("test:echoed", payload, "and more");
      if (typeof ack === "function") ack(payload);
    });
    socket.on("test:ask", (payload, ack) => {
      socket.emit("test:question", payload, (...answers) => ack({ answers }));
    });
  });
}

/** Cuts a socket as a dead network would: no close frame, no DISCONNECT. */
export function cut(socket) {
  const { transport } = socket.conn;
  if (transport.name === "websocket") transport.socket.terminate();
  else socket.conn.close(true);
}
