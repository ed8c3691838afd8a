// The errors of WIRES.md T15 and D3, and the HTTP status of each.

const statusByCode = {
  ValidationError: 400,
  AuthError: 401,
  ForbiddenError: 403,
  NotFoundError: 404,
  ConflictError: 409,
  TooLarge: 413,
  RateLimited: 429,
  ServerError: 500,
};

/** A refusal that the client is told: `{code, message, field?, client_message_id?}`. */
export class TeamError extends Error {
  constructor(code, message, details = {}) {
    super(message);
    this.code = code;
    this.details = details;
    this.status = statusByCode[code] ?? 500;
  }

  toJSON() {
    return { code: this.code, message: this.message, ...this.details };
  }
}

export const invalid = (field, message) => new TeamError("ValidationError", message, { field });
export const forbidden = (message) => new TeamError("ForbiddenError", message);
export const notFound = (what) => new TeamError("NotFoundError", `${what} not found`);
