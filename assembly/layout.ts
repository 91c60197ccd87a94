/**
 * The memory map and all limits. One source makes two artefacts: the one-page module, whose references are
 * 16 bits wide, and the imported-memory module (`tableBase` 2 in asconfig.json tells it), whose references are 32.
 *
 *   narrow                              wide
 *   1024    static data                 1024    static data
 *   4096    connection, renders         4096    connection, renders
 *   4672    text scratch                4672    text scratch
 *   8848    labels of the line          21136   labels of the line
 *   12944   input window, its first     25232   output window
 *           part the output window      90768   input window
 *   48472   header                      195864  header
 *   49200   cache                       196592  cache
 */

/** Whether this is the imported-memory build. */
export const WIDE: bool = ASC_TABLE_BASE > 1;
/** Whether every exported call is followed by a validation of the whole structure. */
export const CHECKED: bool = ASC_OPTIMIZE_LEVEL < 2;

export const PAGE_BYTES: u32 = 65536;

/** Bytes of a reference to an object; a metric's reference is its block's and four bits of slot. */
export const REF: usize = WIDE ? 4 : 2;
/** Bytes of a time stamp. */
export const STAMP: usize = WIDE ? 4 : 2;
/** Bytes of a record's offset in its block. */
export const OFFSET: usize = WIDE ? 2 : 1;
/** The largest offset that a block can note. */
export const OFFSET_MAX: usize = WIDE ? 65535 : 255;
export const STAMP_MASK: u32 = WIDE ? 0xffffffff : 0xffff;

/** Longest line that the window leaves room for. */
export const LINE_LIMIT: usize = WIDE ? 16384 : 4096;

export const CONNECTION: usize = 4096;
export const CONNECTION_BYTES: usize = 16;

export const RENDERS: usize = 4160;
export const RENDER_BYTES: usize = 64;
export const RENDER_LIMIT: u32 = 8;

/**
 * The text scratch: the text that a function makes to look for it, or to keep it, and what it notes for a moment. What
 * is there lives until the next call of findRelative, createMetric, removeMetric (so of all that makes room), of what
 * changes a schema, or of readValue. Below 8192, where addresses take two bytes of code.
 */
export const TEXT: usize = 4672;
export const TEXT_BYTES: usize = LINE_LIMIT + 80;

export const LABELS: usize = TEXT + TEXT_BYTES;
export const LABEL_BYTES: usize = 32;
export const LABEL_LIMIT: u32 = 128;

export const OUTPUT: usize = WIDE ? 25232 : 12944;
export const OUTPUT_BYTES: usize = WIDE ? 65536 : 16384;

/** Narrow, the windows share their room: no call uses both. */
export const INPUT: usize = WIDE ? 90768 : OUTPUT;
export const INPUT_TAIL: usize = LINE_LIMIT + 16;
export const INPUT_BYTES: usize = WIDE ? 81936 : 35424;

export const HEADER: usize = WIDE ? 195864 : 48472;
export const HEADER_BYTES: usize = 728;
export const CACHE: usize = HEADER + HEADER_BYTES;

/** Bytes of memory that are not the cache's: all below it, and what eight-byte loads may touch behind it. */
export const FIXED_BYTES: u32 = WIDE ? 196608 : 49216;
export const CACHE_BYTES_MIN: u32 = 1024;
export const CACHE_BYTES_MAX: u32 = WIDE ? 1 << 30 : 16320;

/** Bytes of a heap segment: the narrow cache is one segment, a wide one many. */
export const SEGMENT_BYTES: usize = WIDE ? 8192 : 16384;
/** Bits of a reference that number the object in its segment. */
export const SLOT_BITS: u32 = WIDE ? 9 : 11;
/** Objects of one kind of directory in a segment. */
export const SLOT_LIMIT: u32 = (1 << SLOT_BITS) - 1;
/** Largest text that one object holds. */
export const OBJECT_BYTES_MAX: usize = WIDE ? 4200 : 8192;

/** Metrics of a block. */
export const BLOCK_METRICS: u32 = 16;
/** Longest metric name and label name. */
export const NAME_LIMIT: usize = 255;
/** Samples of one histogram or summary. */
export const SAMPLE_LIMIT: u32 = 255;
/** Different times to live in use at once. */
export const CLASS_LIMIT: u32 = 16;
/** Characters of a value that are kept as they are. */
export const VALUE_CHARS: u32 = 24;

/** What one push may do to make room: objects and blocks looked at, metrics evicted. */
export const SWEEP_OBJECTS: u32 = 512;
export const SEARCH_SWEEPS: u32 = 32;
export const SEARCH_BLOCKS: u32 = WIDE ? 64 : 4096;
export const SEARCH_BEFORE: u32 = WIDE ? 4 : 1;
export const SEARCH_FAMILIES: u32 = 256;
export const SEARCH_SEGMENTS: u32 = 8;
export const SEARCH_LONG: u32 = 4096;
export const EVICTIONS: u32 = 1024;

if (!WIDE && SLOT_BITS + 4 > 15) ERROR("the highest bit of a metric's reference is not free");
if (WIDE && CACHE_BYTES_MAX / (SEGMENT_BYTES as u32) > 1 << (27 - SLOT_BITS)) ERROR("nor is it in a wide cache");
if (WIDE && REF != 4) ERROR("wide references have four bytes");
if (CONNECTION + 64 > RENDERS) ERROR("the connection runs into the renders");
if (RENDERS + RENDER_BYTES * (RENDER_LIMIT as usize) > TEXT) ERROR("the renders run into the text");
if (LABELS + LABEL_BYTES * (LABEL_LIMIT as usize) > OUTPUT) ERROR("the labels run into the output");
if (WIDE && OUTPUT + OUTPUT_BYTES > INPUT) ERROR("the output runs into the input");
if (OUTPUT + OUTPUT_BYTES > HEADER) ERROR("the output runs into the header");
if (INPUT + INPUT_BYTES + 16 > HEADER) ERROR("the input runs into the header");
if (CACHE + 16 > (FIXED_BYTES as usize)) ERROR("the cache does not start where the fixed regions end");
if (!WIDE && FIXED_BYTES + CACHE_BYTES_MAX > PAGE_BYTES) ERROR("the narrow cache does not fit its page");
