/**
 * The connection on whose behalf the module is called, in 16 bytes that the host keeps and hands in:
 *
 *   +0  u32  the metric pushed last: a hint where to look for the next, and the open metric, if there is one
 *   +4  u32  hash of the name in the last TYPE line, or of one whose family had to go
 *   +8  u32  time to live in ms that `# TTL` set, 0: none; ENDLESS of clock.ts
 *   +12 u8   round of the open metric, one of many samples that is being pushed; 0: none is open
 *   +13 u8   1: inside a line that is too long
 *   +14 u8   that family's type, 0: none
 *
 * A type is noted for the family that its samples are about to make, where there is no room to keep a family without
 * samples, or where the family went to make room.
 */
import { CONNECTION } from "./layout";

export const LAST_METRIC: usize = CONNECTION;
export const TYPED_NAME: usize = CONNECTION + 4;
export const TTL: usize = CONNECTION + 8;
export const ROUND: usize = CONNECTION + 12;
export const SKIPPING: usize = CONNECTION + 13;
export const LAST_TYPE: usize = CONNECTION + 14;
