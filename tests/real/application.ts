/** A Node application's metrics, by the real prom-client. */
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
  Summary,
} from "prom-client";
import type { Format } from "./servers.js";

/** An application that counts its work. */
export interface Application {
  /** Does some work. */
  work(): void;
  /** Its page. */
  metrics(): Promise<string>;
}

/** Starts to measure: prom-client's default metrics, and one of each type. */
export function createApplication(format: Format): Application {
  const register = createRegister(format);
  const registers = [register];
  collectDefaultMetrics({ register: register as Registry });
  const labelNames = ["kind"] as const;
  const enableExemplars = format === "openmetrics";
  const jobs = new Counter({ name: "jobs_total", help: "Jobs.", labelNames, registers });
  const queue = new Gauge({ name: "queue_length", help: 'A "queue"\nof \\ jobs.', labelNames, registers });
  const times = new Histogram({ name: "job_seconds", help: "Times.", labelNames, registers, enableExemplars });
  const sizes = new Summary({ name: "job_bytes", help: "Sizes.", labelNames, registers });
  let round = 0;
  const work = (): void => {
    round++;
    for (const kind of ["plain", 'say "hi"\n\\', "späße ✓ 🚀"]) {
      jobs.inc({ kind }, round / 3);
      queue.set({ kind }, round % 2 === 0 ? Number.NaN : -1 / round);
      if (enableExemplars) times.observe({ labels: { kind }, value: round / 7, exemplarLabels: { kind: "a b" } });
      else times.observe({ kind }, round / 7);
      sizes.observe({ kind }, round * 1e9);
    }
  };
  work();
  return { work, metrics: () => register.metrics() };
}

function createRegister(format: Format): Registry | Registry<OpenMetricsContentType> {
  if (format === "text") return new Registry();
  const register = new Registry<OpenMetricsContentType>();
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return register;
}
