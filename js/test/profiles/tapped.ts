// The real WebSocket of the tests, with a hand on its frames: what goes out is counted, what comes in can be told twice, kept
// from the client, or be something that no server would say.
import { WebSocket } from "ws";

type Incoming = [data: Buffer, isBinary: boolean];
type Outgoing = [data: string | Uint8Array];

export class Tapped extends WebSocket {
  /** Every socket since `forget`, in the order of their opening. */
  static readonly sockets: Tapped[] = [];
  /** How often the client is told each frame that comes in (but for pings): never, once, or twice. */
  times: 0 | 1 | 2 = 1;
  /** What has gone out, frame by frame, but for the answers to pings: the first ping comes when it likes, soon after the start. */
  readonly out: unknown[] = [];

  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args);
    Tapped.sockets.push(this);
  }

  static forget(): void {
    Tapped.sockets.length = 0;
  }

  /** The one that was opened last. */
  static get last(): Tapped {
    const socket = Tapped.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  /** As if the server had said so. */
  say(frame: string | Uint8Array<ArrayBuffer>): void {
    const isBinary = typeof frame !== "string";
    // As `ws` hands it on where `binaryType` is "arraybuffer".
    super.emit("message", isBinary ? frame.buffer : Buffer.from(frame), isBinary);
  }

  override send(...args: unknown[]): void {
    if (args[0] !== "3") this.out.push(args[0]);
    super.send(...(args as Outgoing));
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== "message") return super.emit(event, ...args);
    // A ping of Engine.IO comes once: a server ends the connection of whoever answers it twice.
    const times = String(args[0]) === "2" ? Math.min(this.times, 1) : this.times;
    for (let time = 0; time < times; time++) super.emit(event, ...(args as Incoming));
    return true;
  }
}
