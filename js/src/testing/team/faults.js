// Faults on demand: each is armed by a test and spent by the sends (or connects) that come next.
import { TeamError } from "./errors.js";

export class Faults {
  #refusals = [];
  #connectRefusals = [];
  #plans = [];
  #revoked = new Set();
  #holding = false;
  #held = [];
  #drop;

  /** @param drop cuts the sockets of one user, or of all; gives how many. */
  constructor(drop) {
    this.#drop = drop;
  }

  /** The next `times` sends are answered with this error and not stored. */
  refuseNext(times = 1, code = "ServerError", message = "refused by a test", details = {}) {
    for (let i = 0; i < times; i++) this.#refusals.push(new TeamError(code, message, details));
  }

  /** The next `times` sends are stored and never answered. */
  loseAck(times = 1) {
    this.#plan(times, "lose");
  }

  /** The next `times` sends cut their socket and are not stored. */
  dropBeforeStore(times = 1) {
    this.#plan(times, "dropBefore");
  }

  /** The next `times` sends are stored and cut their socket instead of an answer. */
  dropAfterStore(times = 1) {
    this.#plan(times, "dropAfter");
  }

  /** Sends are stored; their answers wait for `releaseAcks`. */
  withholdAck() {
    this.#holding = true;
  }

  /** Gives the answers that were withheld, in order; gives how many. */
  releaseAcks() {
    this.#holding = false;
    const held = this.#held.splice(0);
    for (const answer of held) answer();
    return held.length;
  }

  /** How many answers are withheld now. */
  get held() {
    return this.#held.length;
  }

  /** The next `times` CONNECTs are refused with this code (D6, E8). */
  refuseConnect(times = 1, code = "AuthError", message = "invalid token") {
    for (let i = 0; i < times; i++) this.#connectRefusals.push(new TeamError(code, message));
  }

  /** From now on this token is refused everywhere, as an expired one would be. */
  revoke(token) {
    this.#revoked.add(token);
  }

  /** Cuts the TCP connections of one user, or of all, without a word (1006 at the client); gives how many. */
  dropSockets(userId) {
    return this.#drop(userId);
  }

  // ── asked by the server ───────────────────────────────────────────────────

  isRevoked(token) {
    return this.#revoked.has(token);
  }

  takeConnectRefusal() {
    return this.#connectRefusals.shift();
  }

  takeRefusal() {
    return this.#refusals.shift();
  }

  takePlan() {
    return this.#plans.shift();
  }

  /** Answers now, or when the answers are released. */
  answer(give) {
    if (this.#holding) this.#held.push(give);
    else give();
  }

  #plan(times, plan) {
    for (let i = 0; i < times; i++) this.#plans.push(plan);
  }
}
