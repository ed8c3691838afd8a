import { completeOAuth } from "chatwire";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.js";
import { OAuthCallback } from "./OAuthCallback.js";
import "./styles.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const isCallback = location.pathname === "/oauth-callback";
createRoot(root).render(
  <StrictMode>{isCallback ? <OAuthCallback isTold={completeOAuth()} /> : <App />}</StrictMode>,
);
