// Nobody listens at this address, and nobody asks: the client does not connect.
export const options = { url: "http://127.0.0.1:9", profile: "team", userId: "ana", token: "none" };
