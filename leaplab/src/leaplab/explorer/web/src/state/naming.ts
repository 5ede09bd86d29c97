/** What is named on the map, and what a line is drawn around. Pure. */

import type { Painted } from "./painting";

/** Name of the column that holds each sample's cluster. */
export const CLUSTER_COLUMN = "analysis.cluster";

export interface Named {
  /** Of each row, an index into the names; others have none. */
  codes: ArrayLike<number>;
  names: string[];
  /** Whether they are places on the map, so that a line around each says something. */
  areClusters: boolean;
}

/** Clusters, all of them; of other categories those that have a colour of their own. */
export function namedBy({ values, encoding }: Painted["colour"]): Named | null {
  if (encoding.kind !== "categorical" || values?.kind !== "categorical") return null;
  if (values.column.name === CLUSTER_COLUMN) {
    const names = (values.column.categories ?? []).map((name) => `Cluster ${name}`);
    return { codes: values.codes, names, areClusters: true };
  }
  const names = encoding.entries.slice(0, encoding.colours).map(({ label }) => label);
  return { codes: encoding.codes, names, areClusters: false };
}
