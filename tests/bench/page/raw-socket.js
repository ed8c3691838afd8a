// Socket.IO over a bare WebSocket: no more than it takes to be told and to ask.
export class RawSocket {
  #socket;
  #asks = new Map();
  #lastAsk = 0;

  /** @param onFrame hears each event as it came, beginning with `42[`. Resolves `opened` when CONNECT is answered. */
  constructor(url, userId, onFrame) {
    this.#socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    this.opened = new Promise((resolve) => {
      this.#socket.onmessage = ({ data }) => {
        if (data.startsWith("42")) onFrame(data);
        else if (data.startsWith("43")) this.#answered(data);
        else if (data === "2") this.#socket.send("3");
        else if (data.startsWith("40")) resolve();
        else if (data.startsWith("0")) this.#socket.send(`40${JSON.stringify({ token: userId })}`);
      };
    });
  }

  ask(event, payload) {
    const id = this.#lastAsk++;
    this.#socket.send(`42${id}${JSON.stringify([event, payload])}`);
    return new Promise((resolve) => this.#asks.set(id, resolve));
  }

  close() {
    this.#socket.close();
  }

  #answered(data) {
    const at = data.indexOf("[");
    const id = Number(data.slice(2, at));
    this.#asks.get(id)(JSON.parse(data.slice(at))[0]);
    this.#asks.delete(id);
  }
}
