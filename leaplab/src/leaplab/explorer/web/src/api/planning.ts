/** What the page plans by: questions about populations, and lists. */

import type { components } from "./schema";

type Schemas = components["schemas"];
export type Side = Schemas["Side"];
export type Suggestions = Schemas["Suggestions"];
export type SimilarSamples = Schemas["SimilarSamples"];

/** The name that the server gives a question -> its body and its answer. */
export interface Questions {
  gap: { asked: Schemas["GapAsked"]; answer: Schemas["Gap"] };
  gaps: { asked: Schemas["GapsAsked"]; answer: Schemas["Gaps"] };
  label: { asked: Schemas["LabellingAsked"]; answer: Schemas["LabellingList"] };
  prune: { asked: Schemas["PruningAsked"]; answer: Schemas["PrunedList"] };
  "predicted-loss": { asked: Schemas["PredictionAsked"]; answer: Schemas["PredictedLoss"] };
}

export type Tool = keyof Questions;
