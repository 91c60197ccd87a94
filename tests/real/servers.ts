/** Two small HTTP servers for Prometheus to scrape: a recorded page, and a proxy that decides on the format. */
import { createServer, type RequestListener, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { Target } from "../e2e/daemon.js";

/** What a scraper asks for. */
export const ACCEPT = {
  text: "text/plain;version=0.0.4",
  openmetrics: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
} as const;
export type Format = keyof typeof ACCEPT;

/** The content types of pages. */
export const CONTENT_TYPE = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

/** A page that is served; it may be replaced at any time. */
export interface ServedPage {
  port: number;
  text: string;
}

/** Serves a page. */
export async function servePage(t: TestContext, format: Format, text = ""): Promise<ServedPage> {
  const page: ServedPage = { port: 0, text };
  page.port = await serve(t, (_, response) => {
    response.writeHead(200, { "Content-Type": CONTENT_TYPE[format] }).end(page.text);
  });
  return page;
}

/** Passes requests on to a gateway, with an Accept header of its own; returns its port. */
export function serveProxy(t: TestContext, target: Target, format: Format): Promise<number> {
  const where = "port" in target ? { host: "127.0.0.1", ...target } : target;
  return serve(t, (incoming, response) => {
    const headers = { ...incoming.headers, accept: ACCEPT[format] };
    const outgoing = request({ ...where, path: incoming.url, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    outgoing.end();
  });
}

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
}
