// In place of `address.ts` for what knows no `import.meta`: the wasm has no address there, and comes from its chunk.
import type { addressOf as Addresses } from "./address.js";

/** The same, where there is none. */
export const addressOf: typeof Addresses = () => undefined;
