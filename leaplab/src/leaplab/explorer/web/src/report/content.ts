/** What a report shows, as it stands in the file. */

import type { components } from "../api/schema";

type Schemas = components["schemas"];
export type Report = Schemas["Report"];
export type DrawnMap = Schemas["DrawnMap"];
export type AskedChart = Schemas["AskedChart"];
export type ShownBoard = Schemas["ShownBoard"];
export type Extreme = Schemas["Extreme"];
export type Picture = Schemas["Picture"];
export type ShownInsight = Schemas["ShownInsight"];
export type ToldGap = Schemas["ToldGap"];
export type SampleList = Schemas["SampleList"];
