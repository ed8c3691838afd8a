// The REST half (T6 to T13, D3 to D5) with node:http and a table of routes.
import { invalid, notFound, TeamError } from "./errors.mjs";
import { userOf } from "./sockets.mjs";

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, content-type",
  "access-control-allow-methods": "GET, POST, PATCH, DELETE, OPTIONS",
  "access-control-max-age": "600",
};

/** A listener for node:http. Requests under Socket.IO's path never come here: its engine takes them first. */
export function serveRest(hub, { prefix, maxPayload, control }) {
  const routes = [...apiRoutes(hub), ...openRoutes(control)];
  return async (request, response) => {
    const give = (status, body) => {
      response.writeHead(status, { ...cors, "content-type": "application/json" });
      response.end(body === undefined ? "" : JSON.stringify(body));
    };
    try {
      if (request.method === "OPTIONS") return give(204);
      const url = new URL(request.url, "http://local");
      const { route, params } = find(routes, request.method, url.pathname, prefix);
      const me = route.open ? null : userOf(bearer(request), hub.faults);
      const body = await readJson(request, maxPayload);
      const cut = () => request.socket.destroy();
      const answer = await route.handle({ me, params, body, query: url.searchParams, give, cut });
      if (answer) give(...answer);
    } catch (error) {
      const known = error instanceof TeamError ? error : new TeamError("ServerError", "internal error");
      if (known !== error) console.error(error);
      give(known.status, { error: known });
    }
  };
}

function apiRoutes(hub) {
  const { state } = hub;
  const conversation = (me, c) => ({ conversation: state.view(c, me) });
  const told = (me, c, also) => {
    hub.conversationUpdated(c, also);
    return conversation(me, c);
  };
  const table = {
    "POST /api/conversations/direct": ({ me, body }) => [201, told(me, state.createDirect(me, body.user_id))],
    "POST /api/conversations/group": ({ me, body }) => [
      201,
      told(me, state.createGroup(me, body.title, body.participant_ids)),
    ],
    "GET /api/conversations": ({ me }) => [
      200,
      { conversations: state.conversationsOf(me).map((c) => state.view(c, me)), has_more: false },
    ],
    "GET /api/conversations/:id": ({ me, params }) => [
      200,
      conversation(me, state.conversation(me, params.id)),
    ],
    "POST /api/conversations/:id/participants": ({ me, params, body }) => [
      201,
      told(me, state.addParticipant(me, params.id, body.user_id)),
    ],
    "DELETE /api/conversations/:id/participants/:userId": ({ me, params }) => {
      const changed = state.removeParticipant(me, params.id, params.userId);
      return [200, told(me, changed, [params.userId])];
    },
    "GET /api/messages/:id": ({ me, params, query }) => {
      const page = state.page(me, params.id, window(query));
      return [200, { ...page, messages: page.messages.map((m) => state.row(m, me)) }];
    },
    "POST /api/messages": ({ me, body, give, cut }) => {
      hub.send(me, requestOf(body), {
        answer: (message, duplicate) =>
          give(duplicate ? 200 : 201, { message, ...(duplicate && { duplicate }) }),
        cut,
      });
    },
    "PATCH /api/messages/:id": ({ me, params, body }) => {
      const message = state.edit(me, params.id, body.content_encrypted);
      hub.updated(me, message);
      return [200, { message: state.row(message, me) }];
    },
    "DELETE /api/messages/:id": ({ me, params }) => {
      hub.deleted(me, state.remove(me, params.id));
      return [204];
    },
    "POST /api/messages/:id/status": ({ me, params, body }) => {
      return [200, { message: state.row(hub.mark(me, params.id, body.status), me) }];
    },
    "POST /api/messages/:id/reactions": ({ me, params, body }) => {
      const { message, changed } = state.react(me, params.id, body.emoji);
      if (changed) hub.reacted(me, message, body.emoji, "add");
      return [201, { message: state.row(message, me) }];
    },
    "DELETE /api/messages/:id/reactions/:emoji": ({ me, params }) => {
      if (state.plain) throw notFound("route");
      hub.reacted(me, state.unreact(me, params.id, params.emoji), params.emoji, "remove");
      return [204];
    },
  };
  return Object.entries(table).map(([name, handle]) => toRoute(name, handle, false));
}

/** What needs no token: the login that a demo needs (D5), and the test's own controls. */
function openRoutes({ faults, log }) {
  const table = {
    "POST /auth/login": ({ body }) => {
      if (typeof body.name !== "string" || !/^[^#]+$/.test(body.name))
        throw invalid("name", "a name without #");
      const user = { id: body.name, name: body.name };
      return [200, { token: `user:${body.name}`, user, expires_in: 3600 }];
    },
    "POST /test/faults": ({ body }) => {
      if (typeof faults[body.fault] !== "function") throw invalid("fault", "no such fault");
      return [200, { result: faults[body.fault](...(body.args ?? [])) ?? null }];
    },
    "GET /test/log/:id": ({ params }) => [200, { messages: log(params.id) }],
  };
  return Object.entries(table).map(([name, handle]) => toRoute(name, handle, true));
}

function toRoute(name, handle, open) {
  const [method, path] = name.split(" ");
  return { method, segments: path.split("/").slice(1), handle, open };
}

function find(routes, method, pathname, prefix) {
  if (!pathname.startsWith(prefix)) throw notFound("route");
  const given = pathname.slice(prefix.length).split("/").slice(1).map(decode);
  for (const route of routes) {
    if (route.method !== method || route.segments.length !== given.length) continue;
    if (!route.segments.every((s, i) => s === given[i] || (s.startsWith(":") && given[i] !== ""))) continue;
    const named = route.segments.map((s, i) => [s, given[i]]).filter(([s]) => s.startsWith(":"));
    return { route, params: Object.fromEntries(named.map(([s, value]) => [s.slice(1), value])) };
  }
  throw notFound("route");
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid("path", "not percent-encoded UTF-8");
  }
}

function bearer(request) {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
}

async function readJson(request, maxPayload) {
  let size = 0;
  const chunks = [];
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maxPayload) throw new TeamError("TooLarge", `a body has at most ${maxPayload} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return {};
  let body;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw invalid("body", "must be JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid("body", "must be an object");
  return body;
}

function window(query) {
  return {
    limit: whole(query, "limit", 50, 1, 100),
    offset: whole(query, "offset", 0, 0),
    after: query.has("after") ? whole(query, "after", 0, 0) : undefined,
  };
}

function whole(query, name, fallback, least, most = Number.MAX_SAFE_INTEGER) {
  if (!query.has(name)) return fallback;
  const value = Number(query.get(name));
  if (!Number.isInteger(value) || value < least) throw invalid(name, `a whole number, ${least} or more`);
  return Math.min(value, most);
}

function requestOf(body) {
  return {
    conversationId: body.conversation_id,
    content: body.content_encrypted,
    key: body.client_message_id,
    type: body.message_type,
    replyTo: body.reply_to,
    metadata: body.metadata,
  };
}
