export type { ChatFields } from "../projection/state.js";
export { connectRedux, type ReduxStore } from "./connect.js";
export * from "./selectors.js";
export { chatSlice } from "./slice.js";
