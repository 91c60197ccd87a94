/**
 * The connection on whose behalf the module is called, in 16 bytes that the host keeps and hands in:
 *
 *   +0  u32  the metric pushed last, a hint where to look for the next
 *   +4  u32  the open metric: one of many samples whose round is under way, 0: none
 *   +8  u32  time to live in ms that `# TTL` set, 0: none, 0xffffffff: never
 *   +12 u8   round of the open metric
 *   +13 u8   1: inside a line that is too long
 */
import { CONNECTION } from "./layout";

export const LAST_METRIC: usize = CONNECTION;
export const OPEN_METRIC: usize = CONNECTION + 4;
export const TTL: usize = CONNECTION + 8;
export const ROUND: usize = CONNECTION + 12;
export const SKIPPING: usize = CONNECTION + 13;
export const TTL_NEVER: u32 = 0xffffffff;
