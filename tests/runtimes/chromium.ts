// A headless Chromium for tests: Debian's, or any that is in the PATH.

import { type Browser, chromium } from "playwright-core";
import { program } from "./tools.js";

export const CHROMIUM = program("chromium", "chromium-browser", "google-chrome");

/** As root there is no sandbox; the rest keeps it from looking for its maker. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it. The caller closes it. */
export async function launch(): Promise<Browser> {
  if ("missing" in CHROMIUM) throw new Error(CHROMIUM.missing);
  return chromium.launch({ executablePath: CHROMIUM.path, args: ARGUMENTS });
}
