import { completeOAuth } from "chatwire";
import "chatwire/components/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.js";
import { OAuthCallback } from "./OAuthCallback.js";
import "./styles.css";
import "./screen.css";
import "./try/try.css";
import { applyTheme } from "./theme.js";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
applyTheme();
// `?dir=rtl`: everything from right to left, to be looked at.
if (new URLSearchParams(location.search).get("dir") === "rtl") document.documentElement.dir = "rtl";
const isCallback = location.pathname === "/oauth-callback";
createRoot(root).render(
  <StrictMode>{isCallback ? <OAuthCallback isTold={completeOAuth()} /> : <App />}</StrictMode>,
);
