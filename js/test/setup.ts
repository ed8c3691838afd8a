// Node 20 has no WebSocket of its own; `ws` has the browser's interface.
import { WebSocket } from "ws";

Object.assign(globalThis, { WebSocket });
