import { defineConfig } from "vite";

/** The page of reports: one script and one style, which leaplab writes into the file that a person sends. */
export default defineConfig({
  build: {
    outDir: "dist/report",
    emptyOutDir: true,
    target: "es2022",
    lib: {
      entry: "src/report/main.tsx",
      formats: ["iife"],
      name: "report",
      fileName: () => "report.js",
      cssFileName: "report",
    },
  },
  define: { "process.env.NODE_ENV": '"production"' },
});
