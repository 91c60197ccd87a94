/**
 * Rounds: a round is one push of a metric of many samples. When it ends, samples that it did not have go, and a new
 * metric shows. A round of buckets only, or sums only, takes nothing away: some exporters write all buckets of a family
 * before all sums. Several connections may push the same round.
 */

import { FLAGS_AT, kindOf, MANY, MULTI, recordAt } from "./block";
import { LAST_METRIC, ROUND } from "./connection";
import { header, LAST_ROUND } from "./header";
import { addressOf, BLOCK } from "./heap";
import { headOf, metricAddress, ROUND_AT, setFlags } from "./record";
import { clearSeen, dropUnseen, INCOMPLETE } from "./samples";

/** Makes a metric the connection's open one, unless it is: begins its round, or joins the one under way. */
export function openRound(ref: u32): void {
  store<u32>(LAST_METRIC, ref);
  if (load<u8>(ROUND) != 0) return;
  const head = headOf(ref);
  let round = load<u8>(head, ROUND_AT) as u32;
  if (round == 0) {
    round = (load<u32>(header, LAST_ROUND) % 255) + 1;
    store<u32>(header, round, LAST_ROUND);
    store<u8>(head, round, ROUND_AT);
    clearSeen(ref);
  }
  store<u8>(ROUND, round);
}

/** Ends the round of the connection's open metric: another metric's line, or the end of the push, came. */
export function closeRound(): void {
  const round = load<u8>(ROUND) as u32;
  if (round == 0) return;
  store<u8>(ROUND, 0);
  // The metric may have gone, and another be there.
  const ref = load<u32>(LAST_METRIC);
  const at = addressOf(ref >> 4, BLOCK);
  if (at == 0 || kindOf(at) != MULTI) return;
  const record = recordAt(at, ref & 15);
  if (record == 0) return;
  const head = headOf(ref);
  if (load<u8>(head, ROUND_AT) != round) return;
  store<u8>(head, 0, ROUND_AT);
  dropUnseen(ref);
  show(metricAddress(ref));
}

/** From now on, pages that begin show the metric. */
function show(record: usize): void {
  if (load<u8>(record, FLAGS_AT) != INCOMPLETE) return;
  setFlags(record, MANY);
}
