/**
 * Generations order the creation of metrics against the begin of renders: what is of a later generation than a render
 * is not on its page. Four bits of a record number them, so they are numbered afresh once in a dozen pages.
 */

import { FLAGS_AT, HIDDEN, nextBlock, recordAt, slotsOf } from "./block";
import { BORN, render } from "./cursor";
import { lastBlock, nextFamily } from "./family";
import { FAMILY_FIRST, GENERATION } from "./header";
import { address } from "./heap";
import { RENDER_LIMIT } from "./layout";

/** The generations of open renders, a bit each. */
let births: u32 = 0;

/** The new number of a generation: only its order to the renders' matters. */
function rank(generation: u32): u32 {
  return popcnt(births & ((1 << generation) - 1));
}

/** Numbers the generations afresh: of the renders, of the metrics, and the one that is now. */
function renumber(): void {
  births = 0;
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) births |= 1 << load<u32>(render(i), BORN);
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) store<u32>(render(i), rank(load<u32>(render(i), BORN)), BORN);
  for (let family = load<u32>(FAMILY_FIRST); family != 0; family = nextFamily(address(family))) {
    const last = lastBlock(address(family));
    let block = last;
    do {
      block = nextBlock(address(block));
      for (let slot = slotsOf(address(block)); slot > 0; --slot) {
        const record = recordAt(address(block), slot - 1);
        if (record == 0) continue;
        const flags = load<u8>(record, FLAGS_AT) as u32;
        if (flags >> 4 != HIDDEN) store<u8>(record, (flags & 15) | (rank(flags >> 4) << 4), FLAGS_AT);
      }
    } while (block != last);
  }
  store<u32>(GENERATION, rank(load<u32>(GENERATION)));
}

/** Ends the generation that is now, and returns it. */
export function endGeneration(): u32 {
  if (load<u32>(GENERATION) == HIDDEN - 1) renumber();
  const generation = load<u32>(GENERATION);
  store<u32>(GENERATION, generation + 1);
  return generation;
}
