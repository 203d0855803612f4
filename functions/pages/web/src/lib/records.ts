// The lists of what the operator keeps about a customer: jobs, assets, sites.

import { askTagged } from "../api/client";
import type { Asset, JobRow, Site } from "../api/types";
import { type List, type Read, type Row, useList } from "./list";

const LIMIT = "50";

function reader<T extends Row>(route: "GET /v1/jobs" | "GET /v1/assets" | "GET /v1/sites"): Read<T> {
  return async (query, { cursor, known, signal }) => {
    const asked = { limit: LIMIT, ...query, ...(cursor ? { cursor } : {}) };
    const [answer, tag] = await askTagged(route, { query: asked, signal, known });
    return { pages: [answer.items as Row[] as T[]], next: answer.next, total: undefined, tag: tag ?? undefined, at: Date.now() };
  };
}

const jobs = reader<JobRow>("GET /v1/jobs");
const assets = reader<Asset>("GET /v1/assets");
const sites = reader<Site>("GET /v1/sites");

export const useJobs = (query: Record<string, string>): List<JobRow> => useList("jobs", query, jobs);
export const useAssets = (query: Record<string, string>): List<Asset> => useList("assets", query, assets);
export const useSites = (query: Record<string, string>): List<Site> => useList("sites", query, sites);

/** Those parameters of the address that the API takes. */
export function given(search: string, names: string[]): Record<string, string> {
  const query = new URLSearchParams(search);
  return Object.fromEntries(names.flatMap((name) => (query.get(name)?.trim() ? [[name, query.get(name)?.trim() ?? ""]] : [])));
}
