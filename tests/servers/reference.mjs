// Our own backend as a process of its own, for tests: the binary that `npm test` has built with the feature `faults`.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { kill, start } from "../../scripts/lib/run.mjs";

const byHand = fileURLToPath(new URL("../../target/debug/chatwire-server-faults", import.meta.url));

/**
 * Starts it on a free port and a fresh database.
 * @returns `{origin, url, phoenix, companion, channels, assistant, plain, login(name), fault(body), log(conversation), socketsOf(userId), connections(user), kill(), start(), restart(), isRunning(), close()}`;
 * `url` is the base for `team`, the others that of the wire of their name (D1); `plain` has those without anything of ours.
 */
export async function startReference(args = []) {
  const binary = process.env.CHATWIRE_SERVER ?? byHand;
  if (!existsSync(binary)) {
    throw new Error(`${binary} is missing: npm test -- servers builds it`);
  }
  const folder = await mkdtemp(join(tmpdir(), "chatwire-"));
  const db = join(folder, "chatwire.db");
  let running = await launch(binary, ["--port", "0", "--db", db, ...args]);
  const { origin } = running;
  const { port } = new URL(origin);

  const post = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${origin}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const get = async (path) => {
    const response = await fetch(`${origin}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const hasEnded = () => running.child.exitCode !== null || running.child.signalCode !== null;
  const end = async (signal) => {
    if (hasEnded()) return running.child.exitCode;
    kill(running.child, signal);
    const [code] = await once(running.child, "exit");
    return code;
  };
  return {
    origin,
    url: `${origin}/team`,
    phoenix: `${origin}/phoenix`,
    companion: `${origin}/companion`,
    channels: `${origin}/channels`,
    assistant: `${origin.replace("http", "ws")}/assistant/ws`,
    plain: {
      companion: `${origin}/plain/companion`,
      channels: `${origin}/plain/channels`,
      assistant: `${origin.replace("http", "ws")}/plain/assistant/ws`,
    },
    login: (name) => post("/auth/login", { name }),
    fault: (body) => post("/test/faults", body),
    /** Disarms every fault, and forgets the connections that have ended. */
    disarm: () => post("/test/reset", {}),
    /** What a conversation holds, in the server's order: `[{seq, id, sender_id, client_message_id, text}]`. */
    log: (conversation) => get(`/test/log?conversation=${encodeURIComponent(conversation)}`),
    /** How many sockets of this user are live. */
    socketsOf: async (userId) => (await get("/test/sockets")).sockets[userId]?.live ?? 0,
    /** Since the last `disarm`, by its clock: `{now_ms, connections: [{opened_ms, closed_ms}]}`, in the order of opening. */
    connections: (user) => get(`/test/connections?user=${encodeURIComponent(user)}`),
    /** Ends it as a power cut would, or by another signal; the database stays. */
    kill: (signal = "SIGKILL") => end(signal),
    /** Any other signal, without waiting: SIGSTOP makes it stand still until SIGCONT. */
    signal: (signal) => kill(running.child, signal),
    /** The same port and database again, after `kill` or a crash. */
    async start() {
      running = await launch(binary, ["--port", port, "--db", db, ...args]);
    },
    async restart(signal = "SIGKILL") {
      await end(signal);
      await this.start();
    },
    isRunning: () => !hasEnded(),
    /** Resolves once the process has ended by itself. */
    async ended() {
      if (!hasEnded()) await once(running.child, "exit");
    },
    /** Graceful stop; gives the exit code. */
    async close() {
      const code = await end("SIGTERM");
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

function launch(binary, args) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, CHATWIRE_LOG: process.env.CHATWIRE_LOG ?? "error" };
    // It ends with us, whatever ends us.
    const child = start(binary, args, { stdio: ["ignore", "pipe", "inherit"], env });
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`the backend ended with code ${code} before it was ready`)),
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      const origin = /^chatwire-server listening on (\S+)$/.exec(line)?.[1];
      if (origin) resolve({ child, origin });
    });
  });
}
