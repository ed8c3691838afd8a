// A server that speaks Engine.IO just well enough to be let in, and then whatever the test wants.
import { once } from "node:events";
import { WebSocketServer } from "ws";

export class HostileServer {
  /** Every frame that came after CONNECT. */
  frames = [];
  connections = 0;

  /** @param onConnected `(socket, server)`, after CONNECT was answered. */
  static async open(onConnected = () => {}) {
    const hostile = new HostileServer();
    hostile.server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    hostile.server.on("connection", (socket) => hostile.#welcome(socket, onConnected));
    await once(hostile.server, "listening");
    hostile.url = `http://127.0.0.1:${hostile.server.address().port}`;
    return hostile;
  }

  #welcome(socket, onConnected) {
    this.connections += 1;
    const open = { sid: "a", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 };
    socket.send(`0${JSON.stringify(open)}`);
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const text = String(data);
      if (text.startsWith("40")) {
        socket.send('40{"sid":"b"}');
        const capabilities = { keys: true, cursor: true, orderedWindow: true, receipts: true };
        socket.send(`42${JSON.stringify(["chatwire:hello", { capabilities }])}`);
        onConnected(socket, this);
      } else {
        this.frames.push(text);
      }
    });
  }

  async close() {
    for (const socket of this.server.clients) socket.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
