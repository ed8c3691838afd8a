// The well-written stack, whose queue waits for each answer before it sends the next.
import { open as openWellWritten } from "./well-written.js";

export { stored } from "./well-written.js";
export const open = (options) => openWellWritten(options, { lanes: 1 });
