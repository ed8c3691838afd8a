import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

// In production one server gives both the demo and the backend. While developing, Vite serves the demo and passes what is
// the backend's on to it, so that both still have one origin.
export default defineConfig(({ mode }) => {
  const backend = loadEnv(mode, ".").VITE_BACKEND ?? "http://127.0.0.1:8787";
  const rest = ["/auth", "/api"].map((path) => [path, { target: backend }]);
  const wires = ["/team", "/phoenix", "/companion", "/channels", "/assistant"].map((path) => {
    return [path, { target: backend, ws: true }];
  });
  const proxy = Object.fromEntries([...rest, ...wires]);
  return { plugins: [react()], server: { proxy }, preview: { proxy } };
});
