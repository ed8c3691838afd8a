// The REST half over node:http, and the test's own controls.
import { invalid, TeamError } from "../../../js/src/testing/team/errors.js";
import { answerRest, openTable, teamRoutes } from "../../../js/src/testing/team/rest.js";

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, content-type",
  "access-control-allow-methods": "GET, POST, PATCH, DELETE, OPTIONS",
  "access-control-max-age": "600",
};

/** A listener for node:http. Requests under Socket.IO's path never come here: its engine takes them first. */
export function serveRest(hub, { prefix, maxPayload, control }) {
  const routes = [...teamRoutes(hub), ...controlRoutes(control)];
  return (request, response) => {
    const give = (status, body) => {
      response.writeHead(status, { ...cors, "content-type": "application/json" });
      response.end(body === undefined ? "" : JSON.stringify(body));
    };
    if (request.method === "OPTIONS") return give(204);
    const asked = {
      method: request.method,
      url: request.url,
      token: bearer(request),
      readBody: () => readJson(request, maxPayload),
      cut: () => request.socket.destroy(),
    };
    return answerRest(routes, { hub, prefix }, asked, give);
  };
}

function controlRoutes({ faults, log }) {
  return openTable({
    "POST /test/faults": ({ body }) => {
      if (typeof faults[body.fault] !== "function") throw invalid("fault", "no such fault");
      return [200, { result: faults[body.fault](...(body.args ?? [])) ?? null }];
    },
    "GET /test/log/:id": ({ params }) => [200, { messages: log(params.id) }],
  });
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
