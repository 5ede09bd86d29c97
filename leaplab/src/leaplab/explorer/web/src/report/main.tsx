/** The page of a report: it shows what stands in the file, and asks nobody for anything. */

import "../tokens.css";
import "../charts/charts.css";
import "./report.css";
import { render } from "preact";
import type { Report } from "./content";
import { ReportPage } from "./page";

const content = JSON.parse(document.getElementById("content")!.textContent!) as Report;
render(<ReportPage report={content} />, document.getElementById("report")!);
