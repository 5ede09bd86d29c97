import type { Column, Run } from "../src/api/client";

/** A small run with one column of each kind. */
export function makeRun(patch: Partial<Run> = {}): Run {
  return {
    key: "abc123",
    name: "run",
    integration: "digits",
    model: "digits.onnx",
    samples: 100,
    notice: null,
    states: [
      { name: "training", count: 80 },
      { name: "validation", count: 20 },
    ],
    columns: [
      column("metadata.label", "categorical", ["0", "1", "2"]),
      column("metadata.city & state", "categorical", ["a=b", "c&d #1"]),
      column("metadata.path", "text"),
      column("loss.cross_entropy", "continuous"),
      column("metric.accuracy", "continuous"),
    ],
    objects: null,
    latent_spaces: [
      { name: "model", width: 96 },
      { name: "image", width: 784 },
    ],
    projections: ["pacmap", "pca"],
    defaults: { colour: "metadata.label", size: "loss.cross_entropy", space: "model", projection: "pacmap" },
    ...patch,
  };
}

export function column(name: string, kind: Column["kind"], categories?: string[]): Column {
  const [group = "", label = ""] = name.split(".");
  return {
    name,
    label,
    group,
    kind,
    type: kind === "continuous" ? "float" : "string",
    ...(categories ? { categories } : {}),
  };
}
