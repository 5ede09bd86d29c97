import { defineConfig } from "vitest/config";

export default defineConfig({
  // Relative, so that the built page works under any path the server mounts it at.
  base: "./",
  build: { outDir: "dist", emptyOutDir: true, target: "es2022" },
  server: { proxy: { "/api": "http://127.0.0.1:8765" } },
  test: { environment: "node", include: ["test/**/*.test.ts"] },
});
